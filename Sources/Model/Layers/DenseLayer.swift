internal import Kernels

/// A fully connected layer of many rows, and where its tensors are.
struct DenseLayer {
  let inputs: Int
  let outputs: Int
  private let weight: Int
  private let bias: Int
  private let trainsWeight: Bool
  private let trainsBias: Bool
  /// The products as a 1x1 convolution: faster for some rows, planned for as many as there are.
  private let convolution: Convolution?

  init(_ unit: DenseUnit, _ table: ParameterTable) {
    self.init(unit, table, .none, convolution: nil)
  }

  /// A layer that trains on `rows` rows at a time.
  init(_ unit: DenseUnit, rows: Int, _ planner: inout LayerPlanner) {
    let shape = ConvolutionShape(unit, rows: rows)
    let isMany = rows >= 16 && min(unit.inputs, unit.outputs) >= 4 && shape.isPlannable
    if isMany { planner.writesGradient(of: unit.weight) }
    self.init(
      unit, planner.table, planner.freezing,
      convolution: isMany ? Convolution(shape, pool: planner.pool) : nil)
  }

  private init(
    _ unit: DenseUnit, _ table: ParameterTable, _ freezing: Freezing, convolution: Convolution?
  ) {
    inputs = unit.inputs
    outputs = unit.outputs
    weight = table[unit.weight].offset
    bias = table[unit.bias].offset
    trainsWeight = freezing.trains(unit.weight)
    trainsBias = freezing.trains(unit.bias)
    self.convolution = convolution
  }

  /// output [rows, outputs] = activation(x [rows, inputs] * weight + bias) + residual, where the
  /// residual is not the output.
  func forward(
    _ x: UnsafePointer<Float>, rows: Int, activation: Activation = .identity,
    residual: UnsafePointer<Float>? = nil, output: UnsafeMutablePointer<Float>,
    weights: UnsafePointer<Float>, pool: ThreadPool
  ) {
    if let convolution {
      precondition(rows == convolution.shape.batch, "the layer was planned for other rows")
      convolution.forward(
        input: x, weight: weights + weight,
        epilogue: Epilogue(shift: weights + bias, activation: activation, residual: residual),
        output: output)
    } else {
      precondition(activation == .identity || residual == nil, "only one of them is computed here")
      denseForward(
        x, weight: weights + weight, bias: weights + bias, residual: residual, n: rows,
        inputs: inputs, outputs: outputs, output: output, pool: pool)
      let count = rows * outputs
      switch activation {
      case .identity: break
      case .silu: siluForward(output, count: count, output: output, pool: pool)
      case .sigmoid: sigmoidForward(output, count: count, output: output, pool: pool)
      }
    }
  }

  /// Gives the gradients of weight and bias as far as they train, and writes that of x where it is
  /// wanted.
  func backward(
    _ x: UnsafePointer<Float>, rows: Int, outputGradient: UnsafePointer<Float>,
    inputGradient: UnsafeMutablePointer<Float>?, _ context: LayerContext
  ) {
    if let convolution, let inputGradient, trainsWeight {
      convolution.backwardInput(
        outputGradient: outputGradient, weight: context.weights + weight,
        inputGradient: inputGradient, accumulate: false,
        weightGradient: (.stored(x), context.gradients + weight))
      return backwardBias(rows: rows, outputGradient: outputGradient, context)
    }
    backwardParameters(x, rows: rows, outputGradient: outputGradient, context)
    if let inputGradient {
      backwardInput(
        rows: rows, outputGradient: outputGradient, inputGradient: inputGradient, context)
    }
  }

  /// Whether `backwardParameters` reads the layer's input.
  var readsInputInBackward: Bool { trainsWeight }

  /// Gives the gradients of weight and bias as far as they train: writes that of the weight if the
  /// layer was planned for its rows and there are many, and adds otherwise.
  func backwardParameters(
    _ x: UnsafePointer<Float>, rows: Int, outputGradient: UnsafePointer<Float>,
    _ context: LayerContext
  ) {
    let weightGradient = trainsWeight ? context.gradients + weight : nil
    guard let convolution else {
      return denseBackward(
        x, weight: context.weights + weight, outputGradient: outputGradient, n: rows,
        inputs: inputs, outputs: outputs, inputGradient: nil, weightGradient: weightGradient,
        biasGradient: trainsBias ? context.gradients + bias : nil, pool: context.pool)
    }
    if let weightGradient {
      convolution.backwardWeight(
        input: .stored(x), outputGradient: .stored(outputGradient),
        weightGradient: weightGradient)
    }
    backwardBias(rows: rows, outputGradient: outputGradient, context)
  }

  private func backwardBias(
    rows: Int, outputGradient: UnsafePointer<Float>, _ context: LayerContext
  ) {
    guard trainsBias else { return }
    addColumnSums(
      outputGradient, rows: rows, columns: outputs, to: context.gradients + bias,
      pool: context.pool)
  }

  /// Writes the gradient of x.
  func backwardInput(
    rows: Int, outputGradient: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Float>,
    _ context: LayerContext
  ) {
    if let convolution {
      convolution.backwardInput(
        outputGradient: outputGradient, weight: context.weights + weight,
        inputGradient: inputGradient, accumulate: false)
    } else {
      denseBackward(
        outputGradient, weight: context.weights + weight, outputGradient: outputGradient, n: rows,
        inputs: inputs, outputs: outputs, inputGradient: inputGradient, weightGradient: nil,
        biasGradient: nil, pool: context.pool)
    }
  }
}

/// A layer norm of many rows, and where its tensors are.
struct RowNorm {
  private let channels: Int
  private let scale: Int
  private let shift: Int
  private let epsilon: Float

  init(_ references: LayerNormReferences, channels: Int, epsilon: Float, _ table: ParameterTable) {
    self.channels = channels
    self.epsilon = epsilon
    scale = table[references.scale].offset
    shift = table[references.shift].offset
  }

  private func parameters(_ weights: UnsafePointer<Float>) -> LayerNormParameters {
    LayerNormParameters(scale: weights + scale, shift: weights + shift, epsilon: epsilon)
  }

  /// output [rows, channels] = norm(x); `statistics` is given what backward reads.
  func forward(
    _ x: UnsafePointer<Float>, rows: Int, statistics: UnsafeMutablePointer<Float>?,
    output: UnsafeMutablePointer<Float>, weights: UnsafePointer<Float>, pool: ThreadPool
  ) {
    layerNormForward(
      x, rows: rows, channels: channels, norm: parameters(weights), statistics: statistics,
      output: output, pool: pool)
  }

  /// Adds the gradients of scale and shift, and that of x to `inputGradient`.
  func backward(
    _ x: UnsafePointer<Float>, rows: Int, statistics: UnsafePointer<Float>,
    outputGradient: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Float>,
    _ context: LayerContext
  ) {
    layerNormBackward(
      x, outputGradient: outputGradient, rows: rows, channels: channels,
      norm: parameters(context.weights), statistics: statistics, inputGradient: inputGradient,
      scaleGradient: context.gradients + scale, shiftGradient: context.gradients + shift,
      pool: context.pool)
  }
}
