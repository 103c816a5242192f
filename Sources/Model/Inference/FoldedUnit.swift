internal import Kernels

/// A product of a folded network: a convolution with its norm, or a fully connected layer with its
/// bias, which is a 1×1 convolution of maps of one pixel.
struct FoldedUnit {
  /// What the weights are scaled and shifted by.
  enum Fold {
    case norm(NormReferences)
    case bias(ParameterReference)
  }

  let kernel: Int
  let stride: Int
  let inputs: Int
  let outputs: Int
  let isDepthwise: Bool
  let activation: Activation
  let weight: ParameterReference
  let fold: Fold

  init(_ unit: ConvolutionUnit) {
    kernel = unit.kernel
    stride = unit.stride
    inputs = unit.inputChannels
    outputs = unit.outputChannels
    isDepthwise = unit.isDepthwise
    activation = unit.activation
    weight = unit.weight
    fold = .norm(unit.norm)
  }

  /// A fully connected layer.
  init(_ unit: DenseUnit, _ activation: Activation) {
    kernel = 1
    stride = 1
    inputs = unit.inputs
    outputs = unit.outputs
    isDepthwise = false
    self.activation = activation
    weight = unit.weight
    fold = .bias(unit.bias)
  }

  /// Writes what each output channel is multiplied by before it is summed and what is added after.
  func writeFold(
    of network: Network, scale: UnsafeMutablePointer<Float>, shift: UnsafeMutablePointer<Float>
  ) {
    let store = network.parameters
    let table = store.table
    switch fold {
    case .bias(let bias):
      scale.update(repeating: 1, count: outputs)
      shift.update(from: store.weights + table[bias].offset, count: outputs)
    case .norm(let norm):
      let gamma = store.weights + table[norm.scale].offset
      let beta = store.weights + table[norm.shift].offset
      let mean = store.buffers + table[norm.mean].offset
      let variance = store.buffers + table[norm.variance].offset
      let epsilon = Double(network.blueprint.variant.normEpsilon)
      for channel in 0..<outputs {
        let factor = Double(gamma[channel]) / (Double(variance[channel]) + epsilon).squareRoot()
        scale[channel] = Float(factor)
        shift[channel] = Float(Double(beta[channel]) - Double(mean[channel]) * factor)
      }
    }
  }
}

/// A folded unit that is planned for a map, with the place of its weights.
struct FoldedLayer {
  private enum Plan {
    case dense(Convolution)
    case depthwise(DepthwiseConvolution)
  }

  /// Its place among all units.
  let index: Int
  /// The map that comes out.
  let output: FeatureMap
  private let plan: Plan
  private let activation: Activation

  init(_ unit: FoldedUnit, index: Int, input: FeatureMap, padding: Padding, pool: ThreadPool) {
    precondition(input.channels == unit.inputs, "a layer got another layer's input")
    let shape = ConvolutionShape(
      input: input, outputs: unit.outputs, kernel: unit.kernel, stride: unit.stride,
      padding: padding)
    self.index = index
    output = shape.outputMap
    plan =
      unit.isDepthwise
      ? .depthwise(DepthwiseConvolution(shape, pool: pool, isTrained: false))
      : .dense(Convolution(shape, pool: pool, isTrained: false))
    activation = unit.activation
  }

  /// The dense convolution, where it is one.
  var dense: Convolution? {
    if case .dense(let convolution) = plan { convolution } else { nil }
  }

  /// Floats of the weights in the order in which they are read.
  var weightCount: Int {
    switch plan {
    case .dense(let convolution): convolution.packedCount
    case .depthwise(let convolution):
      convolution.shape.kernel * convolution.shape.kernel * output.channels
    }
  }

  /// Brings the unit's weights into the order in which they are read, scaled.
  func pack(
    _ weight: UnsafePointer<Float>, scale: UnsafePointer<Float>,
    into packed: UnsafeMutablePointer<Float>
  ) {
    switch plan {
    case .dense(let convolution): convolution.pack(weight, scale: scale, into: packed)
    case .depthwise:
      let channels = output.channels
      for place in 0..<weightCount { packed[place] = weight[place] * scale[place % channels] }
    }
  }

  /// What follows the sums.
  func epilogue(_ weights: FoldedWeights, residual: UnsafePointer<Float>? = nil) -> Epilogue {
    Epilogue(shift: weights.shift(index), activation: activation, residual: residual)
  }

  /// output = activation(convolution(input) + shift) + residual.
  func apply(
    _ weights: FoldedWeights, input: UnsafePointer<Float>, residual: UnsafePointer<Float>? = nil,
    output target: UnsafeMutablePointer<Float>
  ) {
    let epilogue = epilogue(weights, residual: residual)
    switch plan {
    case .dense(let convolution):
      convolution.forward(
        input: input, packed: weights.packed(index), epilogue: epilogue, output: target)
    case .depthwise(let convolution):
      convolution.forward(
        input: input, weight: weights.packed(index), epilogue: epilogue, output: target)
    }
  }
}
