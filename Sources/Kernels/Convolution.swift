/// The plan of one dense convolution: NHWC tensors, weights [kernel][kernel][input][output].
///
/// A plan may be used by one thread at a time.
public final class Convolution {
  /// The geometry.
  public let shape: ConvolutionShape
  private let pool: ThreadPool

  /// Plans the convolution.
  public init(_ shape: ConvolutionShape, pool: ThreadPool) {
    shape.check()
    self.shape = shape
    self.pool = pool
  }

  /// output [batch][outputHeight][outputWidth][outputChannels] = input * weight.
  public func forward(
    input: UnsafePointer<Float>, weight: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>
  ) {
    let s = shape
    let outputs = s.outputChannels
    pool.run(s.batch * s.outputHeight) { task in
      let (image, row) = (task / s.outputHeight, task % s.outputHeight)
      for column in 0..<s.outputWidth {
        let target = output + (task * s.outputWidth + column) * outputs
        target.update(repeating: 0, count: outputs)
        for tapRow in 0..<s.kernel {
          let y = row * s.stride - s.padTop + tapRow
          if y < 0 || y >= s.inputHeight { continue }
          for tapColumn in 0..<s.kernel {
            let x = column * s.stride - s.padLeft + tapColumn
            if x < 0 || x >= s.inputWidth { continue }
            let source = input + ((image * s.inputHeight + y) * s.inputWidth + x) * s.inputChannels
            let taps = weight + (tapRow * s.kernel + tapColumn) * s.inputChannels * outputs
            for channel in 0..<s.inputChannels {
              addScaled(taps + channel * outputs, source[channel], target, outputs)
            }
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
    let outputs = s.outputChannels
    pool.run(s.batch * s.inputHeight) { task in
      let (image, y) = (task / s.inputHeight, task % s.inputHeight)
      for x in 0..<s.inputWidth {
        let target = inputGradient + (task * s.inputWidth + x) * s.inputChannels
        if !accumulate { target.update(repeating: 0, count: s.inputChannels) }
        for tapRow in 0..<s.kernel {
          let (row, rowRest) = (y + s.padTop - tapRow).quotientAndRemainder(dividingBy: s.stride)
          if rowRest != 0 || row < 0 || row >= s.outputHeight { continue }
          for tapColumn in 0..<s.kernel {
            let (column, columnRest) = (x + s.padLeft - tapColumn)
              .quotientAndRemainder(dividingBy: s.stride)
            if columnRest != 0 || column < 0 || column >= s.outputWidth { continue }
            let source =
              outputGradient
              + ((image * s.outputHeight + row) * s.outputWidth + column) * outputs
            let taps = weight + (tapRow * s.kernel + tapColumn) * s.inputChannels * outputs
            for channel in 0..<s.inputChannels {
              target[channel] += dot(taps + channel * outputs, source, outputs)
            }
          }
        }
      }
    }
  }

  /// weightGradient += the correlation of the input with outputGradient.
  public func backwardWeight(
    input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>
  ) {
    let s = shape
    let outputs = s.outputChannels
    pool.run(s.kernel * s.kernel * s.inputChannels) { task in
      let channel = task % s.inputChannels
      let tapColumn = task / s.inputChannels % s.kernel
      let tapRow = task / s.inputChannels / s.kernel
      let target = weightGradient + task * outputs
      for image in 0..<s.batch {
        for row in 0..<s.outputHeight {
          let y = row * s.stride - s.padTop + tapRow
          if y < 0 || y >= s.inputHeight { continue }
          for column in 0..<s.outputWidth {
            let x = column * s.stride - s.padLeft + tapColumn
            if x < 0 || x >= s.inputWidth { continue }
            let value = input[
              ((image * s.inputHeight + y) * s.inputWidth + x) * s.inputChannels + channel]
            let pixel = (image * s.outputHeight + row) * s.outputWidth + column
            addScaled(outputGradient + pixel * outputs, value, target, outputs)
          }
        }
      }
    }
  }
}

/// target += source * factor.
@inline(__always)
func addScaled(
  _ source: UnsafePointer<Float>, _ factor: Float, _ target: UnsafeMutablePointer<Float>,
  _ count: Int
) {
  let factors = Vector(repeating: factor)
  var index = 0
  while index &+ 16 <= count {
    Vector.fma(Vector.load(source + index), factors, Vector.load(target + index))
      .store(target + index)
    index &+= 16
  }
  while index < count {
    target[index] = Float.fma(source[index], factor, target[index])
    index &+= 1
  }
}

/// The scalar product, summed in 16 lanes.
@inline(__always)
func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Float {
  var lanes = Vector(repeating: 0)
  var index = 0
  while index &+ 16 <= count {
    lanes = Vector.fma(Vector.load(a + index), Vector.load(b + index), lanes)
    index &+= 16
  }
  var sum = lanes.sum()
  while index < count {
    sum = Float.fma(a[index], b[index], sum)
    index &+= 1
  }
  return sum
}
