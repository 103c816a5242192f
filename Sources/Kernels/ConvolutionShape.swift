/// The geometry of one two-dimensional convolution over NHWC float32 tensors.
///
/// Rows and columns are kept apart; the kernel, the stride and the padding before the image are
/// the same for both only in `kernel` and `stride`. The padding after the image is whatever the
/// output size implies, so symmetric padding and TensorFlow's SAME are the same thing here.
public struct ConvolutionShape: Hashable, Sendable {
  /// Images.
  public var batch: Int
  /// Rows of the input.
  public var inputHeight: Int
  /// Columns of the input.
  public var inputWidth: Int
  /// Channels of the input.
  public var inputChannels: Int
  /// Rows of the output.
  public var outputHeight: Int
  /// Columns of the output.
  public var outputWidth: Int
  /// Channels of the output.
  public var outputChannels: Int
  /// Rows and columns of the kernel.
  public var kernel: Int
  /// The step between neighbouring outputs, in input pixels.
  public var stride: Int
  /// Zero rows before the first input row.
  public var padTop: Int
  /// Zero columns before the first input column.
  public var padLeft: Int

  /// Creates a shape; the numbers are checked when a plan is made from it.
  public init(
    batch: Int, inputHeight: Int, inputWidth: Int, inputChannels: Int, outputHeight: Int,
    outputWidth: Int, outputChannels: Int, kernel: Int, stride: Int, padTop: Int, padLeft: Int
  ) {
    self.batch = batch
    self.inputHeight = inputHeight
    self.inputWidth = inputWidth
    self.inputChannels = inputChannels
    self.outputHeight = outputHeight
    self.outputWidth = outputWidth
    self.outputChannels = outputChannels
    self.kernel = kernel
    self.stride = stride
    self.padTop = padTop
    self.padLeft = padLeft
  }

  /// Multiply-adds of one dense convolution of this shape, padding counted.
  public var multiplyAdds: Int {
    batch * outputHeight * outputWidth * outputChannels * kernel * kernel * inputChannels
  }

  /// The size of the input tensor.
  public var inputCount: Int { batch * inputHeight * inputWidth * inputChannels }
  /// The size of the output tensor.
  public var outputCount: Int { batch * outputHeight * outputWidth * outputChannels }
  /// The size of the weights of a dense convolution, [kernel][kernel][input][output].
  public var weightCount: Int { kernel * kernel * inputChannels * outputChannels }

  /// Whether its tensors are small enough for one convolution.
  public var isPlannable: Bool { max(inputCount, outputCount) < Int(Int32.max) }

  /// Stops the program on a shape that no convolution can have.
  func check() {
    precondition(
      batch > 0 && inputHeight > 0 && inputWidth > 0 && inputChannels > 0 && outputHeight > 0
        && outputWidth > 0 && outputChannels > 0 && kernel > 0 && stride > 0 && padTop >= 0
        && padLeft >= 0, "a convolution's sizes must be positive")
    precondition(
      padTop < kernel && padLeft < kernel, "a convolution's padding must be below its kernel size")
    precondition(
      (outputHeight - 1) * stride - padTop < inputHeight
        && (outputWidth - 1) * stride - padLeft < inputWidth,
      "the convolution's last output does not touch its input")
    precondition(
      isPlannable, "the tensor is too large for one convolution")
  }
}
