/// The plan of one depthwise convolution: NHWC tensors, weights [kernel][kernel][channels].
///
/// A plan may be used by one thread at a time.
public final class DepthwiseConvolution {
  /// The geometry; input and output have the same channels.
  public let shape: ConvolutionShape
  private let pool: ThreadPool

  /// Plans the convolution.
  public init(_ shape: ConvolutionShape, pool: ThreadPool) {
    shape.check()
    precondition(
      shape.inputChannels == shape.outputChannels,
      "a depthwise convolution has as many outputs as inputs")
    self.shape = shape
    self.pool = pool
  }

  /// output [batch][outputHeight][outputWidth][channels] = input * weight, channel by channel.
  public func forward(
    input: UnsafePointer<Float>, weight: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>
  ) {
    let s = shape
    let channels = s.inputChannels
    pool.run(s.batch * s.outputHeight) { task in
      let (image, row) = (task / s.outputHeight, task % s.outputHeight)
      for column in 0..<s.outputWidth {
        let target = output + (task * s.outputWidth + column) * channels
        target.update(repeating: 0, count: channels)
        for tapRow in 0..<s.kernel {
          let y = row * s.stride - s.padTop + tapRow
          if y < 0 || y >= s.inputHeight { continue }
          for tapColumn in 0..<s.kernel {
            let x = column * s.stride - s.padLeft + tapColumn
            if x < 0 || x >= s.inputWidth { continue }
            let source = input + ((image * s.inputHeight + y) * s.inputWidth + x) * channels
            let taps = weight + (tapRow * s.kernel + tapColumn) * channels
            for channel in 0..<channels { target[channel] += source[channel] * taps[channel] }
          }
        }
      }
    }
  }

  /// inputGradient = (or += with `accumulate`) the transposed convolution of outputGradient.
  public func backwardInput(
    outputGradient: UnsafePointer<Float>, weight: UnsafePointer<Float>,
    inputGradient: UnsafeMutablePointer<Float>, accumulate: Bool
  ) {
    let s = shape
    let channels = s.inputChannels
    pool.run(s.batch * s.inputHeight) { task in
      let (image, y) = (task / s.inputHeight, task % s.inputHeight)
      for x in 0..<s.inputWidth {
        let target = inputGradient + (task * s.inputWidth + x) * channels
        if !accumulate { target.update(repeating: 0, count: channels) }
        for tapRow in 0..<s.kernel {
          let (row, rowRest) = (y + s.padTop - tapRow).quotientAndRemainder(dividingBy: s.stride)
          if rowRest != 0 || row < 0 || row >= s.outputHeight { continue }
          for tapColumn in 0..<s.kernel {
            let (column, columnRest) = (x + s.padLeft - tapColumn)
              .quotientAndRemainder(dividingBy: s.stride)
            if columnRest != 0 || column < 0 || column >= s.outputWidth { continue }
            let pixel = (image * s.outputHeight + row) * s.outputWidth + column
            let source = outputGradient + pixel * channels
            let taps = weight + (tapRow * s.kernel + tapColumn) * channels
            for channel in 0..<channels { target[channel] += source[channel] * taps[channel] }
          }
        }
      }
    }
  }

  /// weightGradient += the correlation of the input with outputGradient, channel by channel.
  public func backwardWeight(
    input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>
  ) {
    let s = shape
    let channels = s.inputChannels
    pool.run(s.kernel * s.kernel) { task in
      let (tapRow, tapColumn) = (task / s.kernel, task % s.kernel)
      let target = weightGradient + task * channels
      for image in 0..<s.batch {
        for row in 0..<s.outputHeight {
          let y = row * s.stride - s.padTop + tapRow
          if y < 0 || y >= s.inputHeight { continue }
          for column in 0..<s.outputWidth {
            let x = column * s.stride - s.padLeft + tapColumn
            if x < 0 || x >= s.inputWidth { continue }
            let source = input + ((image * s.inputHeight + y) * s.inputWidth + x) * channels
            let pixel = (image * s.outputHeight + row) * s.outputWidth + column
            let gradient = outputGradient + pixel * channels
            for channel in 0..<channels { target[channel] += source[channel] * gradient[channel] }
          }
        }
      }
    }
  }
}
