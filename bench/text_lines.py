"""Rendered lines of text, half of them upside down, as inputs for the PP-OCR direction classifier.

    text_lines.py OUT COUNT TEXT_FILE

writes COUNT images of 48 x 192 to OUT/train and a fifth as many to OUT/test, in the fonts of
Debian's fonts-dejavu, with random words of the text, sizes, colours, offsets and noise. Needs Pillow.
"""
import pathlib
import random
import sys

from PIL import Image, ImageDraw, ImageFilter, ImageFont

HEIGHT, WIDTH = 48, 192
TEST_SHARE = 0.2


def colours(draw):
    paper = [draw.randint(90, 255) for _ in range(3)]
    ink = [draw.randint(0, 80) for _ in range(3)]
    return (paper, ink) if draw.random() < 0.7 else (ink, paper)


def line(words, fonts, draw):
    paper, ink = colours(draw)
    image = Image.new("RGB", (WIDTH, HEIGHT), tuple(paper))
    font = ImageFont.truetype(draw.choice(fonts), draw.randint(18, 36))
    text = " ".join(draw.sample(words, 4))
    ImageDraw.Draw(image).text((draw.randint(0, 12), draw.randint(0, 12)), text, tuple(ink), font)
    if draw.random() < 0.5:
        image = image.rotate(180)
    noise = Image.effect_noise((WIDTH, HEIGHT), draw.uniform(1, 40)).convert("RGB")
    image = Image.blend(image, noise, draw.uniform(0, 0.25))
    return image.filter(ImageFilter.GaussianBlur(draw.uniform(0, 1)))


def main(out, count, text):
    draw = random.Random(0)
    words = sorted(set(pathlib.Path(text).read_text().split()))
    fonts = [str(path) for path in sorted(pathlib.Path("/usr/share/fonts").rglob("DejaVu*.ttf"))]
    parts = {"train": int(count), "test": round(TEST_SHARE * int(count))}
    for part, wanted in parts.items():
        folder = pathlib.Path(out, part)
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(wanted):
            line(words, fonts, draw).save(folder / f"{i:05}.png")


if __name__ == "__main__":
    main(*sys.argv[1:])
