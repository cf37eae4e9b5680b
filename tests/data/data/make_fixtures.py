"""Wrote the .npz and .npy files of this folder (NumPy 2): python make_fixtures.py"""
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
x = (np.arange(24, dtype=np.float64).reshape(6, 4) - 7.5) / 4
y = np.array([0, 1, 2, 0, 1, 2], dtype=np.int64)
images = (np.arange(2 * 2 * 3 * 3) * 7 % 256).astype(np.uint8).reshape(2, 2, 3, 3)
np.savez(HERE / "stored.npz", x=x, y=y)
np.savez_compressed(HERE / "deflated.npz", x_train=x.astype(np.float32), y_train=y.astype(np.int32),
                    x_test=x[:2].astype(np.float32), y_test=y[:2].astype(np.uint8))
np.savez(HERE / "images.npz", X=images, labels=np.array([[1], [0]], dtype=np.uint8))
np.save(HERE / "big_endian.npy", y.astype(">i4"))
np.save(HERE / "fortran.npy", np.asfortranarray(x))
np.lib.format.write_array(open(HERE / "version2.npy", "wb"), y, version=(2, 0))
