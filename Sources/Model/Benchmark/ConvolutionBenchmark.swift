public import Kernels

/// One convolution of a network: its geometry and how often it occurs.
public struct ConvolutionCase: Sendable, Hashable {
  /// The geometry.
  public let shape: ConvolutionShape
  /// Whether every channel is convolved on its own.
  public let isDepthwise: Bool
  /// How many layers have it.
  public let count: Int

  /// Multiply-adds of one pass.
  public var multiplyAdds: Int {
    isDepthwise ? shape.multiplyAdds / shape.inputChannels : shape.multiplyAdds
  }

  /// Floats of the weights.
  public var weightCount: Int {
    isDepthwise ? shape.kernel * shape.kernel * shape.inputChannels : shape.weightCount
  }
}

extension Blueprint {
  /// The distinct convolutions of the network for a batch, in the order of their first use; of a
  /// transformer its fully connected layers, which are 1x1 convolutions of the tokens.
  /// - Throws: `ArchitectureError` where the tensors of one cannot be addressed or do not fit.
  public func convolutionCases(batch: Int, inputSize: Int) throws -> [ConvolutionCase] {
    try checkExtent(batch: batch, inputSize: inputSize)
    var cases: [ConvolutionCase] = []
    func add(_ shape: ConvolutionShape, isDepthwise: Bool = false) {
      let known = cases.firstIndex { $0.shape == shape && $0.isDepthwise == isDepthwise }
      let count = known.map { cases.remove(at: $0).count } ?? 0
      cases.insert(
        ConvolutionCase(shape: shape, isDepthwise: isDepthwise, count: count + 1),
        at: known ?? cases.endIndex)
    }
    switch body {
    case .convolutional(let body):
      var map = FeatureMap(batch: batch, size: inputSize, channels: inputChannels)
      for unit in body.convolutions {
        let shape = ConvolutionShape(unit, input: map, padding: variant.padding)
        map = FeatureMap(batch: batch, size: shape.outputHeight, channels: unit.outputChannels)
        add(shape, isDepthwise: unit.isDepthwise)
      }
    case .transformer(let body):
      let rows = batch * (try body.tokens(inputSize: inputSize))
      for layer in body.blocks.flatMap(\.layers) { add(ConvolutionShape(layer, rows: rows)) }
    }
    let largest = cases.map { 2 * ($0.shape.inputCount + $0.shape.outputCount) }.max() ?? 0
    try checkMemory(
      largest * MemoryLayout<Float>.stride, batch: batch, inputSize: inputSize)
    return cases
  }
}

/// Times the passes of one convolution on random tensors, as training runs them: the forward pass
/// with its statistics, a depthwise convolution together with the norms around it.
public final class ConvolutionBenchmark {
  /// A pass over the convolution; a depthwise one computes both gradients at once.
  public enum Pass: String, Sendable {
    case forward
    case backward
    case backwardInput = "backward input"
    case backwardWeight = "backward weight"

    /// The products of the pass, in those of the forward pass.
    public var cost: Int { self == .backward ? 2 : 1 }
  }

  private enum Plan {
    case dense(Convolution)
    case depthwise(DepthwiseConvolution)
  }

  /// The passes that training needs: the first layer has no gradient of its input.
  public let passes: [Pass]
  private let plan: Plan
  private let scratch: NormScratch
  private let input: FloatMemory
  private let weight: FloatMemory
  private let output: FloatMemory
  private let inputGradient: FloatMemory
  private let outputGradient: FloatMemory
  private let weightGradient: FloatMemory
  /// Four numbers per channel of a norm, then the moments and the totals.
  private let channels: FloatMemory
  private let channelCount: Int

  /// Plans the convolution and fills its tensors.
  public init(_ subject: ConvolutionCase, pool: ThreadPool) {
    let shape = subject.shape
    let floats: Int
    if subject.isDepthwise {
      let convolution = DepthwiseConvolution(shape, pool: pool)
      plan = .depthwise(convolution)
      passes = [.forward, .backward]
      floats = max(
        convolution.momentFloats,
        GradientSums.count(parts: convolution.gradientParts, channels: shape.inputChannels))
    } else {
      let convolution = Convolution(shape, pool: pool)
      plan = .dense(convolution)
      passes = [.forward] + (shape.inputChannels < 8 ? [] : [.backwardInput]) + [.backwardWeight]
      floats = convolution.momentFloats
    }
    scratch = NormScratch(count: floats)
    input = FloatMemory(count: shape.inputCount)
    weight = FloatMemory(count: subject.weightCount)
    output = FloatMemory(count: shape.outputCount)
    inputGradient = FloatMemory(count: shape.inputCount)
    outputGradient = FloatMemory(count: shape.outputCount)
    weightGradient = FloatMemory(count: subject.weightCount)
    channelCount = shape.outputChannels
    channels = FloatMemory(count: 8 * channelCount)
    let filled = [input, weight, output, outputGradient, channels]
    for (seed, memory) in filled.enumerated() {
      fillRandom(memory.base, count: memory.count, seed: UInt64(seed))
    }
  }

  /// Runs one pass.
  /// - Returns: its seconds.
  public func run(_ pass: Pass) -> Double {
    let start = ContinuousClock.now
    switch plan {
    case .dense(let convolution): run(pass, convolution)
    case .depthwise(let convolution): run(pass, convolution)
    }
    return start.duration(to: .now).seconds
  }

  private func run(_ pass: Pass, _ convolution: Convolution) {
    switch pass {
    case .forward:
      convolution.forward(
        input: .stored(input.base), weight: weight.base, output: output.base, mean: row(4),
        variance: row(5), scratch: scratch)
    case .backwardInput:
      convolution.backwardInput(
        outputGradient: outputGradient.base, weight: weight.base,
        inputGradient: inputGradient.base, accumulate: false)
    case .backwardWeight:
      convolution.backwardWeight(
        input: .stored(input.base), outputGradient: .stored(outputGradient.base),
        weightGradient: weightGradient.base)
    case .backward: break
    }
  }

  private func run(_ pass: Pass, _ convolution: DepthwiseConvolution) {
    let shape = convolution.shape
    let norm = NormParameters(
      mean: row(0), inverseDeviation: row(1), factor: row(2), beta: row(3))
    func map(_ x: FloatMemory, _ pixels: Int) -> NormalizedMap {
      NormalizedMap(x: x.base, norm: norm, activation: .silu, rowsPerImage: pixels)
    }
    let before = map(input, shape.inputHeight * shape.inputWidth)
    if pass == .forward {
      convolution.forward(
        input: before, weight: weight.base, output: output.base, mean: row(4), variance: row(5),
        scratch: scratch)
    } else {
      convolution.backward(
        input: before, weight: weight.base,
        output: map(output, shape.outputHeight * shape.outputWidth),
        outputGradient: .stored(outputGradient.base), outputTotals: row(6),
        weightGradient: weightGradient.base, argumentGradient: inputGradient.base,
        sums: GradientSums(
          scratch, parts: convolution.gradientParts, channels: shape.inputChannels))
    }
  }

  private func row(_ index: Int) -> UnsafeMutablePointer<Float> {
    channels.base + index * channelCount
  }
}
