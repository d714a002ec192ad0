-- A session with a track for each format: noise through a preset of seven drivers, its trim automated. Run by ardour7-lua
-- with the folder of the session and the position of the preset.
local folder = arg[1]

local function control_of(insert, label)
  local plugin, count = insert:plugin(0), 0
  for i = 0, plugin:parameter_count() - 1 do
    if plugin:parameter_is_control(i) then
      if plugin:parameter_label(i) == label then return count end
      count = count + 1
    end
  end
  error("no control " .. label)
end

local function fill(session)
  local function track(name, outputs)
    return session:new_audio_track(2, outputs, nil, 1, name, -1, ARDOUR.TrackMode.Normal, true):front()
  end
  local function add(route, name, kind)
    local processor = ARDOUR.LuaAPI.new_plugin(session, name, kind, "")
    assert(not processor:isnil(), name .. " is not there")
    route:add_processor_by_index(processor, 0, nil, true)
    return processor:to_insert()
  end

  local noise = track("noise", 2)
  local generator = add(noise, "Forestage Test Noise", ARDOUR.PluginType.Lua)
  local region = noise:to_track():bounce_range(0, 96000, ARDOUR.InterThreadInfo(), generator, true, "noise")

  local plugins = {
    { "vst3", "Forestage 8 Drivers", ARDOUR.PluginType.VST3 },
    { "lv2", "urn:forestage:forestage:drivers8", ARDOUR.PluginType.LV2 },
  }
  for _, named in ipairs(plugins) do
    local route = track(named[1], 8)
    route:to_track():playlist():add_region(region, Temporal.timepos_t(0), 1, false)
    local insert = add(route, named[2], named[3])
    local plugin = insert:plugin(0)
    if named[1] == "vst3" then
      plugin:load_preset(plugin:preset_by_label("seven"))
    else
      ARDOUR.LuaAPI.set_processor_param(insert, control_of(insert, "Preset"), tonumber(arg[2]))
    end
    ARDOUR.LuaAPI.usleep(1000000) -- the preset is loaded while the engine runs, and Ardour reads all values anew
    ARDOUR.LuaAPI.set_processor_param(insert, control_of(insert, "Monitor"), 0)
    local trim = control_of(insert, "Output Trim")
    local _, list, range = ARDOUR.LuaAPI.plugin_automation(insert, trim)
    for _, point in ipairs({ { 0, 0 }, { 40000, 0 }, { 50000, -12 }, { 96000, -12 } }) do
      local value = range.lower + (point[2] + 24) / 48 * (range.upper - range.lower)
      list:add(Temporal.timepos_t(point[1]), value, false, true)
    end
    local parameter = Evoral.Parameter(ARDOUR.AutomationType.PluginAutomation, 0, plugin:nth_parameter(trim, true))
    insert:to_automatable():automation_control(parameter, false):set_automation_state(ARDOUR.AutoState.Play)
  end
  ARDOUR.LuaAPI.usleep(1000000)
  repeat -- a save may be put off
    session:save_state("")
    ARDOUR.LuaAPI.usleep(500000)
  until io.open(folder .. "/session.ardour"):read("a"):find('name="lv2"')
end

AudioEngine:set_backend("None (Dummy)", "", "")
fill(create_session(folder, "session", 48000))
print("finished")
io.stdout:flush()
ARDOUR.LuaAPI.usleep(100000000) -- who runs it ends it
