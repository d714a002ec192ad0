// ALSA, for the standalone alone: loaded when it starts, so that plugins run where there is none. It is never linked
// statically, because it loads plugins of the system's own.
#pragma once

/// False where there is no ALSA, or not all of what is called here.
int forestage_open_alsa(void);
