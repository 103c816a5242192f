internal import Kernels

/// A fully connected layer of many rows, and where its tensors are.
struct DenseLayer {
  let inputs: Int
  let outputs: Int
  private let weight: Int
  private let bias: Int
  private let trainsWeight: Bool
  private let trainsBias: Bool

  init(_ unit: DenseUnit, _ table: ParameterTable, _ freezing: Freezing = .none) {
    inputs = unit.inputs
    outputs = unit.outputs
    weight = table[unit.weight].offset
    bias = table[unit.bias].offset
    trainsWeight = freezing.trains(unit.weight)
    trainsBias = freezing.trains(unit.bias)
  }

  /// output [rows, outputs] = x [rows, inputs] * weight + bias + residual.
  func forward(
    _ x: UnsafePointer<Float>, rows: Int, residual: UnsafePointer<Float>? = nil,
    output: UnsafeMutablePointer<Float>, weights: UnsafePointer<Float>, pool: ThreadPool
  ) {
    denseForward(
      x, weight: weights + weight, bias: weights + bias, residual: residual, n: rows,
      inputs: inputs, outputs: outputs, output: output, pool: pool)
  }

  /// Adds the gradients of weight and bias as far as they train, and writes that of x where it is
  /// wanted.
  func backward(
    _ x: UnsafePointer<Float>, rows: Int, outputGradient: UnsafePointer<Float>,
    inputGradient: UnsafeMutablePointer<Float>?, _ context: LayerContext
  ) {
    denseBackward(
      x, weight: context.weights + weight, outputGradient: outputGradient, n: rows, inputs: inputs,
      outputs: outputs, inputGradient: inputGradient,
      weightGradient: trainsWeight ? context.gradients + weight : nil,
      biasGradient: trainsBias ? context.gradients + bias : nil, pool: context.pool)
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
