// What the window remembers for a user, beside any session: its size, its looks. Nothing that sounds.
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

 private:
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
