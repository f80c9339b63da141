"""Pictures by the operator's own weights, run by the library `diffusers` on this machine's processor or GPU."""
