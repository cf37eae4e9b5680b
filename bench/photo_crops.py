"""Random crops of large photographs, as inputs for networks that come without data.

    photo_crops.py OUT HEIGHTxWIDTH COUNT PHOTO_FOLDER...

writes COUNT crops to OUT/train and a fifth as many to OUT/test. A photograph goes to one of the two
as a whole; of a folder that holds one photograph in several sizes (as 1920x1080.jpg) the largest is
taken. Sides of the crops are 1/8 to 1 of the largest that fits, drawn by equal factors. Needs
Pillow. Photographs are in Debian's gnome-backgrounds, mate-backgrounds and
plasma-workspace-wallpapers, and in scikit-image's wheel.
"""
import pathlib
import random
import re
import sys

from PIL import Image

SMALLEST = 1 / 8  # side of a crop, of the largest that fits
TEST_SHARE = 0.2


def files(folders):
    sized = {}
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob("*")):
            if path.suffix.lower() not in (".jpg", ".jpeg", ".png") or path.is_symlink():
                continue
            size = re.fullmatch(r"(\d+)x(\d+)", path.stem)
            if not size:
                yield path
                continue
            pixels = int(size[1]) * int(size[2])
            sized[path.parent] = max(sized.get(path.parent, (0, path)), (pixels, path))
    yield from (path for _, path in sized.values())


def photographs(folders, height, width):
    for path in files(folders):
        image = Image.open(path).convert("RGB")
        if image.width >= width and image.height >= height:
            yield path.stem, image


def crop(image, height, width, draw):
    scale = min(image.width / width, image.height / height) * SMALLEST ** draw.random()
    w, h = round(width * scale), round(height * scale)
    left, top = draw.randint(0, image.width - w), draw.randint(0, image.height - h)
    box = (left, top, left + w, top + h)
    return image.resize((width, height), Image.BILINEAR, box=box, reducing_gap=3)


def main(out, size, count, *folders):
    height, width = map(int, size.split("x"))
    draw = random.Random(0)
    photos = list(photographs(folders, height, width))
    draw.shuffle(photos)
    held = round(TEST_SHARE * len(photos))
    parts = {"test": (photos[:held], int(count) // 5), "train": (photos[held:], int(count))}
    for part, (images, wanted) in parts.items():
        folder = pathlib.Path(out, part)
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(wanted):
            name, image = images[i % len(images)]
            crop(image, height, width, draw).save(folder / f"{name}-{i:05}.jpg", quality=92)
    print(f"{len(photos)} photographs, {held} of them for test")


if __name__ == "__main__":
    main(*sys.argv[1:])
