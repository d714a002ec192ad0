// What the window remembers for a user, beside any session: its size, its looks, where files were. Nothing that sounds.
#pragma once

#include <juce_data_structures/juce_data_structures.h>

namespace forestage::plugin {

class Settings {
 public:
  Settings() : file_(options()) {}

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
