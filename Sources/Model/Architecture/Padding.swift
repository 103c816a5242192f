/// How a convolution with stride pads its input.
public enum Padding: String, Sendable, CaseIterable {
  /// PyTorch's rule: `(kernel - 1) / 2` zeros on every side.
  case symmetric
  /// TensorFlow's rule `SAME`: as many zeros in all as the output size `ceil(input / stride)` needs,
  /// the odd one after the image (even input, kernel 3, stride 2: none before, one after).
  case same

  /// The output size of one axis and the zeros before its first element; whatever the output size
  /// needs beyond the last element is zeros too.
  public func resolve(
    input: Int, kernel: Int, stride: Int
  ) -> (output: Int, before: Int) {
    switch self {
    case .symmetric:
      let before = (kernel - 1) / 2
      return ((input + 2 * before - kernel) / stride + 1, before)
    case .same:
      let output = (input + stride - 1) / stride
      let total = max((output - 1) * stride + kernel - input, 0)
      return (output, total / 2)
    }
  }
}
