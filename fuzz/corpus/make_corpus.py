"""Writes the files that fuzzing starts from, small ones that the readers accept, beside itself.

    .venv/bin/python3 fuzz/corpus/make_corpus.py

Made with onnx 1.23.2, numpy 2.4.6 and Pillow 13.0.0.
"""
import gzip
import io
import json
import struct
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper
from PIL import Image

HERE = Path(__file__).parent


def write(name, content):
    path = HERE / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


# ONNX: what each opset has that the next one lacks.

def model(opset, nodes, constants=(), output="y"):
    """Every node reads x or an earlier node; `constants` are (name, type, dims, values)."""
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2, 3, 4])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor(*constant) for constant in constants])
    made = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", opset)])
    return made.SerializeToString()


def chain(*steps):
    """(operator, further inputs, attributes) one after another, from x to y."""
    nodes, value = [], "x"
    for i, (op, inputs, attributes) in enumerate(steps):
        result = "y" if i == len(steps) - 1 else f"v{i}"
        nodes.append(helper.make_node(op, [value, *inputs], [result], f"n{i}", **attributes))
        value = result
    return nodes


FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
PAIR = ("w", FLOAT, [2], [1.0, 2.0])

write("onnx/opset6.onnx", model(6, chain(
    ("BatchNormalization", ["w", "w", "w", "w"], {"is_test": 1, "spatial": 1}),
    ("Add", ["w"], {"broadcast": 1, "axis": 1}),
    ("PRelu", ["w"], {}),
    ("Clip", [], {"min": -1.0, "max": 6.0}),
    ("Dropout", [], {"is_test": 1, "ratio": 0.25}),
    ("Upsample", [], {"height_scale": 2.0, "width_scale": 2.0}),
    ("Pad", [], {"pads": [0, 0, 1, 1, 0, 0, 1, 1], "value": 0.5}),
    ("Slice", [], {"starts": [0], "ends": [1], "axes": [2]}),
    ("Softmax", [], {"axis": 1}),
    ("ReduceMean", [], {"axes": [3], "keepdims": 0}),
    ("Squeeze", [], {"axes": [2]}),
    ("Gemm", ["w", "w"], {"broadcast": 1}),
), [PAIR]))

write("onnx/opset10.onnx", model(10, [
    helper.make_node("Resize", ["x", "s"], ["a"], "a", mode="nearest"),
    helper.make_node("Split", ["a"], ["b", "c"], "b", axis=1, split=[1, 1]),
    helper.make_node("Dropout", ["b"], ["d", "mask"], "d", ratio=0.5),
    helper.make_node("Unsqueeze", ["d"], ["e"], "e", axes=[0]),
    helper.make_node("LogSoftmax", ["e"], ["f"], "f", axis=2),
    helper.make_node("Scatter", ["f", "i", "f"], ["g"], "g"),
    helper.make_node("LSTM", ["g", "s", "s"], ["h", "", "k"], "h", hidden_size=1),
    helper.make_node("TopK", ["h", "i"], ["y", "z"], "y"),
], [("s", FLOAT, [4], [1.0, 1.0, 2.0, 0.5]), ("i", INT64, [1], [1])]))

write("onnx/opset18.onnx", model(18, [
    helper.make_node("GroupNormalization", ["x", "w", "w"], ["a"], "a", num_groups=2, epsilon=0.1),
    helper.make_node("GridSample", ["a", "a"], ["b"], "b", mode="bicubic"),
    helper.make_node("DFT", ["b"], ["c"], "c", axis=1, inverse=1),
    helper.make_node("Resize", ["c", "", "w"], ["d"], "d",
                     coordinate_transformation_mode="asymmetric", axes=[2, 3]),
    helper.make_node("Odd", ["d"], ["y"], "", "com.example", texts=["p", "q"], number=1.5),
], [PAIR]))


def branch(name, nodes, output, constants=()):
    return helper.make_graph(nodes, name, [],
                             [helper.make_tensor_value_info(output, FLOAT, None)],
                             [helper.make_tensor(*constant) for constant in constants])


inner = helper.make_node(
    "If", ["c"], ["q"], "inner",
    then_branch=branch("t", [], "w"),  # a constant of outside as it is
    else_branch=branch("e", [helper.make_node("Softmax", ["x"], ["r"], axis=1)], "r"))
write("onnx/if.onnx", model(9, [
    helper.make_node("Constant", [], ["c"], value=helper.make_tensor(
        "", TensorProto.BOOL, [], [True])),
    helper.make_node("If", ["c"], ["y"], "outer",
                     then_branch=branch("t", [inner], "q"),
                     else_branch=branch("e", [helper.make_node("Add", ["x", "w"], ["q"])], "q",
                                        [("w", FLOAT, [1], [3.0])]))], [PAIR]))


def initializers():
    for i, (code, raw) in enumerate([
            (TensorProto.FLOAT, 4), (TensorProto.DOUBLE, 8), (TensorProto.FLOAT16, 2),
            (TensorProto.BFLOAT16, 2), (TensorProto.INT8, 1), (TensorProto.INT16, 2),
            (TensorProto.INT32, 4), (TensorProto.INT64, 8), (TensorProto.UINT8, 1),
            (TensorProto.BOOL, 1)]):
        yield helper.make_tensor(f"r{i}", code, [1, 2], bytes(2 * raw), raw=True)
        yield helper.make_tensor(f"l{i}", code, [2], [0, 1])


def constants():
    for name, value in {"value_float": 1.5, "value_int": 3, "value_ints": [1, 2],
                        "value_floats": [0.5]}.items():
        yield helper.make_node("Constant", [], [name], **{name: value})


types = helper.make_graph(
    [*constants(), helper.make_node("Reshape", ["x", "value_ints"], ["y"])], "types",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT16, [None, -1, 0, "w"])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT16, [])], list(initializers()),
    value_info=[helper.make_tensor_value_info("y", TensorProto.FLOAT16, [1, 2])])
write("onnx/types.onnx", helper.make_model(
    types, ir_version=10,
    opset_imports=[helper.make_opsetid("ai.onnx", 21)]).SerializeToString())

outside = TensorProto(name="w", data_type=TensorProto.INT8, dims=[4],
                      data_location=TensorProto.EXTERNAL)
for key, value in {"location": "model.onnx", "offset": "2", "length": "4"}.items():
    outside.external_data.add(key=key, value=value)  # the fuzz target's own file
external = helper.make_graph(
    [helper.make_node("Identity", ["w"], ["y"])], "external", [],
    [helper.make_tensor_value_info("y", TensorProto.INT8, [4])])
external.initializer.append(outside)
write("onnx/external.onnx", helper.make_model(
    external, ir_version=10, opset_imports=[helper.make_opsetid("", 21)]).SerializeToString())


# Safetensors

def safetensors(header, data):
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + data


write("safetensors/types.safetensors", safetensors(
    {"__metadata__": {"format": "pt", "note": "\u00fc \"quoted\""},
     "a": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]},
     "b": {"dtype": "I64", "shape": [], "data_offsets": [8, 16]},
     "c": {"dtype": "BOOL", "shape": [2], "data_offsets": [16, 18]},
     "d": {"dtype": "BF16", "shape": [0, 3], "data_offsets": [18, 18]}},
    bytes(16) + b"\0\1"))
write("safetensors/empty.safetensors", safetensors({}, b""))


# Tables

TABLE = "width,\"a \"\"name\"\"\",class\r\n1,-2.5e-1,\"one\ntwo\"\r\n+3, 4 ,b\r\n\r\n5,6,b\r\n"
TABLE += "7,8,\"one\ntwo\"\r\n"
write("csv/quoted.csv", TABLE.encode())
write("csv/numbers.csv", b"\xef\xbb\xbf1,2,0\n3,4,1\n5,6,0\n7,8,1")
write("csv/packed.csv.gz", gzip.compress(TABLE.encode(), mtime=0))


# NumPy

IMAGES = np.arange(12, dtype=np.uint8).reshape(6, 1, 1, 2)
LABELS = np.array([0, 1] * 3)


def npy(array, version=(1, 0)):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version=version)
    return stream.getvalue()


write("npy/inputs_u1.npy", npy(IMAGES))
write("npy/inputs_f8.npy", npy(IMAGES.reshape(6, 2).astype("<f8") / 3))
write("npy/inputs_f4.npy", npy(IMAGES.astype("<f4"), (2, 0)))
write("npy/labels_i8.npy", npy(LABELS.astype("<i8")))
write("npy/labels_i4.npy", npy(LABELS.reshape(6, 1).astype("<i4")))


def npz(save, **arrays):
    stream = io.BytesIO()
    save(stream, **arrays)
    return stream.getvalue()


write("npz/stored.npz", npz(np.savez, x=IMAGES, y=LABELS))
write("npz/deflated.npz", npz(np.savez_compressed, x_train=IMAGES, y_train=LABELS,
                              x_test=IMAGES[:2], y_test=LABELS[:2]))


# IDX

def idx(array):
    return struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(
        f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()


write("idx/images", idx(IMAGES[:, 0]))
write("idx/labels", idx(LABELS))
write("idx/images.gz", gzip.compress(idx(IMAGES[:, 0]), mtime=0))


# Images

def image(mode, name, form, **options):
    picture = Image.fromarray(np.arange(60, dtype=np.uint8).reshape(4, 5, 3) * 4).convert(mode)
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    write(f"images/{name}", stream.getvalue())


def turned():
    exif = Image.Exif()
    exif[0x0112] = 6  # the orientation
    return exif


image("RGB", "rgb.png", "PNG", exif=turned())
image("P", "palette.png", "PNG", bits=4)
image("1", "bits.png", "PNG")
image("RGBA", "opaque.png", "PNG")
image("RGB", "turned.jpeg", "JPEG", exif=turned())
image("L", "progressive.jpeg", "JPEG", progressive=True)
