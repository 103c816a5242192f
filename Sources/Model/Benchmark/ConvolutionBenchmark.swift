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
  /// The distinct convolutions of the network for a batch, in the order of their first use.
  public func convolutionCases(batch: Int, inputSize: Int) -> [ConvolutionCase] {
    var cases: [ConvolutionCase] = []
    var map = FeatureMap(batch: batch, size: inputSize, channels: inputChannels)
    for unit in allConvolutions {
      let shape = ConvolutionShape(unit, input: map, padding: variant.padding)
      map = FeatureMap(batch: batch, size: shape.outputHeight, channels: unit.outputChannels)
      let known = cases.firstIndex { $0.shape == shape && $0.isDepthwise == unit.isDepthwise }
      let count = known.map { cases.remove(at: $0).count } ?? 0
      cases.insert(
        ConvolutionCase(shape: shape, isDepthwise: unit.isDepthwise, count: count + 1),
        at: known ?? cases.endIndex)
    }
    return cases
  }
}

/// Times the three passes of one convolution on random tensors.
public final class ConvolutionBenchmark {
  /// A pass over the convolution.
  public enum Pass: String, CaseIterable, Sendable {
    case forward
    case backwardInput = "backward input"
    case backwardWeight = "backward weight"
  }

  private let convolution: PlannedConvolution
  private let input: FloatMemory
  private let weight: FloatMemory
  private let output: FloatMemory
  private let inputGradient: FloatMemory
  private let weightGradient: FloatMemory

  /// Plans the convolution and fills its tensors.
  public init(_ subject: ConvolutionCase, pool: ThreadPool) {
    let shape = subject.shape
    convolution = PlannedConvolution(shape, isDepthwise: subject.isDepthwise, pool: pool)
    input = FloatMemory(count: shape.inputCount)
    weight = FloatMemory(count: subject.weightCount)
    output = FloatMemory(count: shape.outputCount)
    inputGradient = FloatMemory(count: shape.inputCount)
    weightGradient = FloatMemory(count: subject.weightCount)
    for (seed, memory) in [input, weight, output].enumerated() {
      fillRandom(memory.base, count: memory.count, seed: UInt64(seed))
    }
  }

  /// Runs one pass.
  /// - Returns: its seconds.
  public func run(_ pass: Pass) -> Double {
    let start = ContinuousClock.now
    switch pass {
    case .forward:
      convolution.forward(input: input.base, weight: weight.base, output: output.base)
    case .backwardInput:
      convolution.backwardInput(
        outputGradient: output.base, weight: weight.base, inputGradient: inputGradient.base,
        accumulate: false)
    case .backwardWeight:
      convolution.backwardWeight(
        input: input.base, outputGradient: output.base, weightGradient: weightGradient.base)
    }
    return start.duration(to: .now).seconds
  }
}
