internal import Kernels

/// A transformer's block (timm `Block`): x [N, T, D] → y = x + attention(norm(x)) → y + hidden(norm(y))
/// with an exact GELU.
///
/// What is cheap to compute again, the norms, the GELU and what was attended, is not kept. The gradient of the output
/// becomes that of the input where it is.
struct TransformerBlock {
  /// What backward reads besides the input.
  struct Saved {
    let qkv: TensorSlot
    /// y.
    let middle: TensorSlot
    /// The hidden layer before the GELU.
    let hidden: TensorSlot
    /// Each token's mean and 1/deviation of both norms.
    let attentionStatistics: TensorSlot
    let hiddenStatistics: TensorSlot
    let output: TensorSlot
  }

  let saved: Saved
  private let rows: Int
  private let channels: Int
  private let hiddenCount: Int
  private let attention: Attention
  private let attentionNorm: RowNorm
  private let attentionInput: DenseLayer
  private let attentionOutput: DenseLayer
  private let hiddenNorm: RowNorm
  private let hiddenInput: DenseLayer
  private let hiddenOutput: DenseLayer
  private let attentionPath: DropPath?
  private let hiddenPath: DropPath?

  /// - Parameter share: which part of the last block's drop path rate the block has.
  init(
    _ unit: TransformerUnit, shape: TransformerShape, batch: Int, tokens: Int, share: Double,
    _ planner: inout LayerPlanner
  ) {
    rows = batch * tokens
    channels = shape.channels
    let (narrow, wide) = (rows * shape.channels, rows * shape.hiddenChannels)
    hiddenCount = wide
    attention = Attention(
      batch: batch, tokens: tokens, heads: shape.heads, size: shape.channels / shape.heads,
      pool: planner.pool)
    let table = planner.table
    let rows = rows
    func layer(_ unit: DenseUnit) -> DenseLayer { DenseLayer(unit, rows: rows, &planner) }
    func norm(_ references: LayerNormReferences) -> RowNorm {
      RowNorm(references, channels: shape.channels, epsilon: shape.normEpsilon, table)
    }
    attentionNorm = norm(unit.attentionNorm)
    hiddenNorm = norm(unit.hiddenNorm)
    attentionInput = layer(unit.attentionInput)
    attentionOutput = layer(unit.attentionOutput)
    hiddenInput = layer(unit.hiddenInput)
    hiddenOutput = layer(unit.hiddenOutput)
    saved = Saved(
      qkv: planner.reserveInner(3 * narrow), middle: planner.reserveInner(narrow),
      hidden: planner.reserveInner(wide),
      attentionStatistics: planner.reserveInner(2 * rows),
      hiddenStatistics: planner.reserveInner(2 * rows), output: planner.workspace.reserve(narrow))
    func path(_ branch: Int) -> DropPath? {
      DropPath(
        share: share, branch: 2 * unit.ordinal + branch, images: batch,
        elements: tokens * shape.channels, &planner)
    }
    attentionPath = path(0)
    hiddenPath = path(1)
    // The hidden layer's gradient; its activation, or a norm and its gradient.
    let map = FeatureMap(batch: rows, size: 1, channels: shape.hiddenChannels)
    planner.reserveGradient(map)
    planner.reserveFilteredGradient(map)
  }

  func forward(input: UnsafePointer<Float>, _ context: LayerContext) {
    compute(input: input, context)
    let active = context.expandedGradient
    let output = context[saved.output]
    context.measure(.activation) {
      geluForward(
        context[saved.hidden], count: hiddenCount, output: active, pool: context.pool)
    }
    apply(hiddenOutput, active, residual: context[saved.middle], output: output, context)
    hiddenPath?.forward(input: context[saved.middle], output: output, context)
  }

  /// All but the output.
  func compute(input: UnsafePointer<Float>, _ context: LayerContext) {
    let normalized = context.filteredGradient
    let middle = context[saved.middle]
    apply(attentionNorm, input, saved.attentionStatistics, output: normalized, context)
    apply(attentionInput, normalized, output: context[saved.qkv], context)
    let attended = context.expandedGradient
    context.measure(.attention) {
      attention.forward(qkv: context[saved.qkv], output: attended)
    }
    apply(attentionOutput, attended, residual: input, output: middle, context)
    attentionPath?.forward(input: input, output: middle, context)
    apply(hiddenNorm, middle, saved.hiddenStatistics, output: normalized, context)
    apply(hiddenInput, normalized, output: context[saved.hidden], context)
  }

  /// Turns the gradient of the output into that of the input.
  func backward(
    input: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>, _ context: LayerContext
  ) {
    hiddenPath?.backward(gradient: gradient, context)
    backwardHidden(gradient: gradient, context)
    hiddenPath?.finish(gradient: gradient, context)
    attentionPath?.backward(gradient: gradient, context)
    backwardAttention(input: input, gradient: gradient, context)
    attentionPath?.finish(gradient: gradient, context)
  }

  private func backwardHidden(gradient: UnsafeMutablePointer<Float>, _ context: LayerContext) {
    let (wide, spare) = (context.expandedGradient, context.filteredGradient)
    let (hidden, middle) = (context[saved.hidden], context[saved.middle])
    context.measure(.activation) {
      geluForward(hidden, count: hiddenCount, output: spare, pool: context.pool)
    }
    context.measure(.matrixProduct) {
      hiddenOutput.backward(
        spare, rows: rows, outputGradient: gradient, inputGradient: wide, context)
    }
    context.measure(.activation) {
      geluBackward(
        hidden, outputGradient: wide, count: hiddenCount, inputGradient: wide, pool: context.pool)
    }
    backward(
      hiddenNorm, saved.hiddenStatistics, hiddenInput, input: middle, outputGradient: wide,
      gradient: gradient, context)
  }

  private func backwardAttention(
    input: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>, _ context: LayerContext
  ) {
    let (wide, spare) = (context.expandedGradient, context.filteredGradient)
    context.measure(.matrixProduct) {
      attentionOutput.backwardInput(
        rows: rows, outputGradient: gradient, inputGradient: spare, context)
    }
    let attended = spare + rows * channels
    context.measure(.attention) {
      attention.backward(
        qkv: context[saved.qkv], outputGradient: spare,
        output: attentionOutput.readsInputInBackward ? attended : nil, qkvGradient: wide)
    }
    context.measure(.matrixProduct) {
      attentionOutput.backwardParameters(
        attended, rows: rows, outputGradient: gradient, context)
    }
    backward(
      attentionNorm, saved.attentionStatistics, attentionInput, input: input,
      outputGradient: wide, gradient: gradient, context)
  }

  /// Through a layer and the norm in front of it; adds to `gradient`.
  private func backward(
    _ norm: RowNorm, _ statistics: TensorSlot, _ layer: DenseLayer, input: UnsafePointer<Float>,
    outputGradient: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    _ context: LayerContext
  ) {
    let normalized = context.filteredGradient
    let normalizedGradient = normalized + rows * channels
    apply(norm, input, statistics, output: normalized, context)
    context.measure(.matrixProduct) {
      layer.backward(
        normalized, rows: rows, outputGradient: outputGradient, inputGradient: normalizedGradient,
        context)
    }
    context.measure(.norm) {
      norm.backward(
        input, rows: rows, statistics: context[statistics], outputGradient: normalizedGradient,
        inputGradient: gradient, context)
    }
  }

  private func apply(
    _ norm: RowNorm, _ x: UnsafePointer<Float>, _ statistics: TensorSlot,
    output: UnsafeMutablePointer<Float>, _ context: LayerContext
  ) {
    context.measure(.norm) {
      norm.forward(
        x, rows: rows, statistics: context[statistics], output: output, weights: context.weights,
        pool: context.pool)
    }
  }

  private func apply(
    _ layer: DenseLayer, _ x: UnsafePointer<Float>, residual: UnsafePointer<Float>? = nil,
    output: UnsafeMutablePointer<Float>, _ context: LayerContext
  ) {
    context.measure(.matrixProduct) {
      layer.forward(
        x, rows: rows, residual: residual, output: output, weights: context.weights,
        pool: context.pool)
    }
  }
}
