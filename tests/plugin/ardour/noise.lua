-- Noise for the tests, as a plugin of Ardour.
ardour { ["type"] = "dsp", name = "Forestage Test Noise", category = "Generator", license = "MIT", author = "Forestage", description = "The same noise in every run" }
function dsp_ioconfig () return { { audio_in = 2, audio_out = 2 } } end
local seed = 1
function dsp_run (ins, outs, n)
  for c = 1, 2 do
    local out = {}
    for i = 1, n do
      seed = (seed * 1103515245 + 12345) % 2147483648
      out[i] = (seed / 1073741824 - 1) * 0.1
    end
    outs[c]:set_table (out, n)
  end
end
