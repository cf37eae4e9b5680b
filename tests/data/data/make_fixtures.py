"""Wrote the files of this folder (NumPy 2, Pillow 13): python make_fixtures.py"""
import pathlib

import numpy as np
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).parent
x = (np.arange(24, dtype=np.float64).reshape(6, 4) - 7.5) / 4
y = np.array([0, 1, 2, 0, 1, 2], dtype=np.int64)
images = (np.arange(2 * 2 * 3 * 3) * 7 % 256).astype(np.uint8).reshape(2, 2, 3, 3)
np.savez(HERE / "stored.npz", x=x, y=y)
np.savez_compressed(HERE / "deflated.npz", x_train=x.astype(np.float32), y_train=y.astype(np.int32),
                    x_test=x[:2].astype(np.float32), y_test=y[:2].astype(np.uint8))
np.savez(HERE / "unlabelled.npz", x_train=x, x_test=x[:2])
np.savez(HERE / "images.npz", X=images, labels=np.array([[1], [0]], dtype=np.uint8))
np.save(HERE / "big_endian.npy", y.astype(">i4"))
np.save(HERE / "fortran.npy", np.asfortranarray(x))
np.lib.format.write_array(open(HERE / "version2.npy", "wb"), y, version=(2, 0))

# What Pillow makes of a JPEG file with halved chroma, and of one that a camera turned.
row, column = np.mgrid[0:36, 0:24]
noise = np.random.default_rng(0).integers(-20, 21, (36, 24, 3))
scene = np.stack([row * 7, column * 10, 255 - row * 3 - column * 4], 2) + noise
Image.fromarray(scene.clip(0, 255).astype(np.uint8)).save(HERE / "scene.jpg", quality=90,
                                                          subsampling="4:2:0")
decoded = Image.open(HERE / "scene.jpg")
np.save(HERE / "scene_rgb.npy", np.asarray(decoded))
np.save(HERE / "scene_grey.npy", np.asarray(decoded.convert("L")))
np.save(HERE / "scene_smaller.npy", np.asarray(decoded.resize((10, 15), Image.Resampling.BILINEAR)))
np.save(HERE / "scene_larger.npy", np.asarray(decoded.resize((40, 37), Image.Resampling.BILINEAR)))
exif = Image.Exif()
exif[0x0112] = 6
decoded.crop((0, 0, 16, 8)).save(HERE / "turned.jpg", quality=90, exif=exif)
upright = ImageOps.exif_transpose(Image.open(HERE / "turned.jpg"))
np.save(HERE / "turned_rgb.npy", np.asarray(upright))
decoded.convert("CMYK").save(HERE / "cmyk.jpg")
