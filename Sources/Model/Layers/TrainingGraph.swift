internal import Foundation
public import Kernels

/// One training step of a network for a fixed batch and input size: forward with batch statistics,
/// and the hand-written backward.
///
/// All memory is planned and allocated once, here; a step allocates nothing. The results do not
/// depend on the number of threads, bit for bit.
///
/// A graph may be used by one thread at a time. SAFETY: its pointers live as long as the graph.
public final class TrainingGraph {
  /// The network that is trained; its running statistics move in `forward`, its gradients are those
  /// of the last `backward`.
  public let network: Network
  /// The images of a step.
  public let batch: Int
  /// The edge of the square input, in pixels.
  public let inputSize: Int
  /// The share of the pooled features that each step drops before the classifier, in 0 ..< 1.
  public var dropRate = 0.0
  /// The memory that the graph holds for activations and their gradients.
  public let workspaceBytes: Int

  private let memory: FloatMemory
  private let context: LayerContext
  private let inputSlot: TensorSlot
  private let stemOutput: TensorSlot
  private let stem: ConvNorm
  private let blocks: [Block]
  private let head: Head
  private var droppedFeatures = false

  /// Plans and allocates a step.
  ///
  /// - Throws: `ArchitectureError` when the batch or the size makes no sense or needs more memory
  ///   than the machine has.
  public init(_ network: Network, batch: Int, inputSize: Int, pool: ThreadPool) throws {
    let blueprint = network.blueprint
    guard batch > 0 else { throw ArchitectureError.batchSize(batch) }
    try blueprint.checkExtent(batch: batch, inputSize: inputSize)

    let variant = blueprint.variant
    var planner = LayerPlanner(
      table: blueprint.parameters, padding: variant.padding, epsilon: variant.normEpsilon,
      momentum: variant.normMomentum, pool: pool)
    let image = FeatureMap(batch: batch, size: inputSize, channels: blueprint.inputChannels)
    inputSlot = planner.workspace.reserve(image)
    stem = ConvNorm(blueprint.stem, input: image, &planner)
    stemOutput = planner.workspace.reserve(stem.output)
    var map = stem.output
    var blocks: [Block] = []
    for unit in blueprint.blocks {
      let block = Block(unit, input: map, &planner)
      map = block.output
      blocks.append(block)
    }
    self.blocks = blocks
    head = Head(blueprint.head, classifier: blueprint.classifier, input: map, &planner)
    guard planner.fewestRows > 1 else {
      throw ArchitectureError.singleValuePerChannel(inputSize: inputSize)
    }

    let expandedGradient = planner.workspace.reserve(planner.expandedGradient)
    let filteredGradient = planner.workspace.reserve(planner.filteredGradient)
    workspaceBytes = planner.workspace.extent * MemoryLayout<Float>.stride
    try checkMemory(workspaceBytes, batch: batch, inputSize: inputSize)
    memory = FloatMemory(count: planner.workspace.extent)
    context = LayerContext(
      workspace: memory.base, weights: network.parameters.weights,
      gradients: network.parameters.gradients, statistics: network.parameters.buffers,
      counters: network.parameters.counters, expandedGradientSlot: expandedGradient,
      filteredGradientSlot: filteredGradient, scratch: NormScratch(count: planner.scratchFloats),
      pool: pool)
    self.network = network
    self.batch = batch
    self.inputSize = inputSize
  }

  /// The normalised images [batch, size, size, channels], filled by the caller; a step leaves them
  /// unchanged.
  public var input: UnsafeMutablePointer<Float> { context[inputSlot] }
  /// The result of `forward`: [batch, classes].
  public var logits: UnsafeMutablePointer<Float> { context[head.saved.logits] }
  /// The gradient of the loss by the logits [batch, classes], filled by the caller before
  /// `backward`.
  public var logitGradient: UnsafeMutablePointer<Float> { context[head.saved.logitGradient] }

  /// Computes the logits with the batch's own statistics and moves the running ones.
  ///
  /// - Parameter key: which random numbers dropout draws; unused at a drop rate of 0.
  public func forward(_ key: StepKey = StepKey()) {
    precondition((0..<1).contains(dropRate), "a drop rate lies in 0 ..< 1")
    let context = context
    stem.forward(input: .stored(input), residual: nil, output: context[stemOutput], context)
    var current = context[stemOutput]
    for block in blocks {
      block.forward(input: current, context)
      current = context[block.outputSlot]
    }
    droppedFeatures = dropRate > 0
    head.forward(
      input: current, dropout: droppedFeatures ? Dropout(rate: dropRate, key: key) : nil, context)
  }

  /// Computes the gradient of every weight from `logitGradient` and what `forward` left; once per
  /// `forward`, because gradients take the activations' places.
  public func backward() {
    let context = context
    fill(context.gradients, 0, count: network.parameters.table.weightExtent, pool: context.pool)
    var gradient = head.backward(
      input: blocks.last.map { context[$0.outputSlot] } ?? context[stemOutput],
      dropped: droppedFeatures, context)
    for index in blocks.indices.reversed() {
      let input = index == 0 ? context[stemOutput] : context[blocks[index - 1].outputSlot]
      gradient = blocks[index].backward(input: input, gradient: gradient, context)
    }
    stem.backward(
      input: input, outputGradient: gradient, inputGradient: nil, accumulate: false, context)
  }
}

extension Blueprint {
  /// Refuses sizes whose tensors could not even be addressed by the kernels.
  func checkExtent(batch: Int, inputSize: Int) throws {
    guard inputSize > 0 else { throw ArchitectureError.inputSize(inputSize, smallest: 1) }
    guard inputSize <= 1 << 14, batch <= 1 << 20 else {
      throw ArchitectureError.workspaceTooLarge(batch: batch, inputSize: inputSize)
    }
    var size = inputSize
    var largest = inputSize * inputSize * inputChannels
    for unit in [stem] + blocks.flatMap(\.convolutions) + [head] {
      size = variant.padding.resolve(input: size, kernel: unit.kernel, stride: unit.stride).output
      largest = max(largest, size * size * unit.outputChannels)
    }
    guard largest * batch < Int(Int32.max) else {
      throw ArchitectureError.workspaceTooLarge(batch: batch, inputSize: inputSize)
    }
  }
}

/// Refuses a workspace that the machine's free memory cannot hold.
func checkMemory(_ bytes: Int, batch: Int, inputSize: Int) throws {
  guard let available = availableMemory(), bytes > available else { return }
  throw ArchitectureError.memory(
    needed: bytes, available: available, batch: batch, inputSize: inputSize)
}

/// The bytes that a new allocation can get without swapping, as Linux estimates them; nil where
/// that cannot be read.
private func availableMemory() -> Int? {
  guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else { return nil }
  for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
    let fields = line.split(separator: " ")
    if fields.count >= 2, let kilobytes = Int(fields[1]) { return kilobytes * 1024 }
  }
  return nil
}
