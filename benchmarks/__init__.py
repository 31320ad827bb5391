"""What reading a status page costs, beside what stands next to it. See the README in this folder."""
