-- Opens the session and bounces each track at its plugin, all outputs. Run by ardour7-lua with the folder of the session.
local function bounce(session)
  for route in session:get_tracks():iter() do
    if route:name() ~= "noise" then
      local processor = route:nth_plugin(0)
      route:to_track():bounce_range(0, 96000, ARDOUR.InterThreadInfo(), processor, true, "bounced " .. route:name())
    end
  end
end

AudioEngine:set_backend("None (Dummy)", "", "")
bounce(load_session(arg[1], "session"))
print("finished")
io.stdout:flush()
ARDOUR.LuaAPI.usleep(100000000) -- who runs it ends it
