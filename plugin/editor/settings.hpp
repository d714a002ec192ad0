// What the window remembers for a user, beside any session: its size, its looks, where files were. Nothing that sounds.
#pragma once

#include <juce_data_structures/juce_data_structures.h>

#include <cstdlib>

namespace forestage::plugin {

class Settings {
 public:
  Settings() : file_(place(), options()) {}

  double scale() const { return file_.getDoubleValue("scale", 1.0); }
  void set_scale(double scale) { file_.setValue("scale", scale); }
  bool is_light() const { return file_.getBoolValue("light", false); }
  void set_light(bool is_light) { file_.setValue("light", is_light); }
  int tab() const { return file_.getIntValue("tab", 0); }
  void set_tab(int tab) { file_.setValue("tab", tab); }
  /// Where files of a kind were last; `usual` when there are none yet, or the folder is gone.
  juce::File folder(const char* kind, const juce::File& usual) const {
    const auto path = file_.getValue(key(kind));
    return juce::File::isAbsolutePath(path) && juce::File(path).isDirectory() ? juce::File(path) : usual;
  }
  void set_folder(const char* kind, const juce::File& folder) { file_.setValue(key(kind), folder.getFullPathName()); }

 private:
  static juce::String key(const char* kind) { return juce::String("folder of ") + kind; }

  /// JUCE's own place on Linux would be a folder that everybody sees in their home.
  static juce::File place() {
#if JUCE_LINUX
    const char* folder = std::getenv("XDG_CONFIG_HOME");
    const bool is_usable = folder != nullptr && juce::File::isAbsolutePath(juce::String::fromUTF8(folder));
    const juce::File settings(is_usable ? juce::String::fromUTF8(folder) : juce::String("~/.config"));
    return settings.getChildFile("forestage/window.settings");
#else
    return options().getDefaultFile();
#endif
  }
  static juce::PropertiesFile::Options options() {
    juce::PropertiesFile::Options where;
    where.applicationName = "window";
    where.filenameSuffix = "settings";
    where.folderName = "forestage";
    where.osxLibrarySubFolder = "Application Support";
    where.storageFormat = juce::PropertiesFile::storeAsXML;
    return where;
  }

  juce::PropertiesFile file_;
};

}  // namespace forestage::plugin
