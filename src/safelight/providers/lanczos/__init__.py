"""Pictures made larger or smaller by Lanczos resampling: plain arithmetic, which invents no detail."""
