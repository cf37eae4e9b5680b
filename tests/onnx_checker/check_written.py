"""Every ONNX file that crrm writes passes onnx.checker, with its inference of types and shapes, and
runs in ONNX Runtime: the smaller network with the numbers of the masked one.

    .venv/bin/python3 tests/onnx_checker/check_written.py build/crrm [NETWORK.onnx...]

With networks it cuts these and prints a line for each; else it runs the tests on the project's own.
"""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

PROJECT = Path(__file__).parents[2]
PATTERNS = PROJECT / "tests/conformance/data"
DIGITS = PROJECT / "demo/digits.onnx"
BOUND = 1e-5  # of single precision, relative to the largest output
CRRM = None  # path of the program


def crrm(*arguments):
    done = subprocess.run([CRRM, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"crrm {' '.join(map(str, arguments))}\n{done.stderr}")


def checked(path):
    """A session of a file that the checker passes."""
    onnx.checker.check_model(str(path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def some_inputs(session, batch=3):
    """Normal numbers, and integers 0 or 1, of the shapes that the file states."""
    random = np.random.default_rng(1)
    inputs = {}
    for port in session.get_inputs():
        shape = [extent if isinstance(extent, int) else batch for extent in port.shape]
        if port.type == "tensor(float)":
            inputs[port.name] = random.standard_normal(shape).astype(np.float32)
        else:
            inputs[port.name] = random.integers(0, 2, shape)
    return inputs


def difference(left, right):
    """The largest of any output, relative to that output's largest value (at least 1)."""
    inputs = some_inputs(left)
    worst = 0.0
    for a, b in zip(left.run(None, inputs), right.run(None, inputs), strict=True):
        if a.shape != b.shape or a.dtype != b.dtype:
            raise AssertionError(f"outputs {a.dtype}{a.shape} and {b.dtype}{b.shape}")
        if a.size:
            scale = max(1.0, np.abs(b).max())
            worst = max(worst, np.abs(a.astype(np.float64) - b).max() / scale)
    return worst


def cut_difference(network, share, seed, folder):
    """Cuts units of a network at random; checks and compares both files."""
    crrm("cut", network, "--random", share, "--seed", seed, "-o", folder)
    return difference(checked(folder / "cut.onnx"), checked(folder / "masked.onnx"))


def weights(name, *shape):
    values = np.random.default_rng(len(name)).standard_normal(shape).astype(np.float32)
    return numpy_helper.from_array(values, name)


def save(path, opset, nodes, initializers):
    """A network from x [n, 4] to y [n, 3]."""
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])], initializers)
    onnx.save(helper.make_model(graph, ir_version=8,
                                opset_imports=[helper.make_opsetid("", opset)]), path)


def branch(name, *nodes):
    """A graph inside of a node; its output is that of its last node."""
    output = helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)
    return helper.make_graph(nodes, name, [], [output])


def save_branches(path):
    """One of two layers, by the sum of what a layer before them wrote."""
    save(path, 17, [
        helper.make_node("Gemm", ["x", "w"], ["g"]),
        helper.make_node("Relu", ["g"], ["h"]),
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Greater", ["sum", "zero"], ["positive"]),
        helper.make_node("If", ["positive"], ["y"],
                         then_branch=branch("t", helper.make_node("MatMul", ["h", "v"], ["a"])),
                         else_branch=branch("e", helper.make_node("MatMul", ["h", "u"], ["b"]),
                                            helper.make_node("Tanh", ["b"], ["c"])))],
         [weights("w", 4, 6), weights("v", 6, 3), weights("u", 6, 3),
          numpy_helper.from_array(np.zeros((), np.float32), "zero")])


def save_old(path):
    """Opset 8: Clip's and Unsqueeze's numbers are attributes, Softmax flattens."""
    save(path, 8, [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("Clip", ["a"], ["b"], min=-1.0, max=1.5),
        helper.make_node("Unsqueeze", ["b"], ["c"], axes=[2]),
        helper.make_node("Softmax", ["c"], ["d"], axis=1),
        helper.make_node("Squeeze", ["d"], ["e"], axes=[2]),
        helper.make_node("MatMul", ["e", "v"], ["y"])], [weights("w", 4, 6), weights("v", 6, 3)])


class WrittenFiles(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def test_cut(self):
        names = ["residual_add", "grouped_conv", "option_a_shortcut", "channel_shuffle_dynamo",
                 "squeeze_excite", "lstm", "slice_step"]
        save_branches(self.folder / "branches.onnx")
        networks = [DIGITS, self.folder / "branches.onnx",
                    *(PATTERNS / f"{name}.onnx" for name in names)]
        for network in networks:
            with self.subTest(network.stem):
                found = cut_difference(network, 0.5, 5, self.folder / network.stem)
                self.assertLess(found, BOUND)

    def test_convert(self):
        """Other opsets to 21, nothing removed."""
        save_old(self.folder / "old.onnx")
        for network in [self.folder / "old.onnx", PATTERNS / "gru.onnx"]:
            with self.subTest(network.stem):
                written = self.folder / f"{network.stem}-21.onnx"
                crrm("convert", network, written)
                self.assertLess(difference(checked(written), checked(network)), BOUND)

    def test_compress(self):
        crrm("compress", DIGITS, "--data", PROJECT / "demo/digits.csv.gz", "--macs", "50%",
             "--epochs", 1, "-o", self.folder / "run", "-q")
        before, after = checked(DIGITS), checked(self.folder / "run/model.onnx")
        for session in before, after:
            outputs = session.run(None, some_inputs(session))
            self.assertTrue(all(np.isfinite(output).all() for output in outputs))
        self.assertEqual([port.shape for port in after.get_outputs()],
                         [port.shape for port in before.get_outputs()])


def cut_all(networks):
    """One line a network; the number of those that fail."""
    failed = 0
    for network in networks:
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = cut_difference(network, 0.5, 5, Path(folder) / "cut")
                verdict = "ok" if found < BOUND else "FAILED"
                print(f"{verdict} {network.name}: {found:.1e}", flush=True)
            except Exception as error:  # the list goes on
                verdict = "FAILED"
                print(f"FAILED {network.name}: {error}", flush=True)
            failed += verdict != "ok"
    print(f"{len(networks) - failed} of {len(networks)} pass")
    return failed


if __name__ == "__main__":
    CRRM = str(Path(sys.argv[1]).resolve())
    if len(sys.argv) > 2:
        sys.exit(cut_all([Path(name) for name in sys.argv[2:]]) > 0)
    unittest.main(argv=sys.argv[:1])
