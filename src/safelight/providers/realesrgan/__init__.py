"""Neural upscaling on the CPU: Real-ESRGAN's compact model run by ncnn (the extra `local-upscale`), without a GPU."""
