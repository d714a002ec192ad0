"""A real device: sweeps to play, what recordings of them tell, and whether it is good enough to design with."""
