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
  /// The memory for activations and their gradients.
  public var workspaceBytes: Int { layout.workspaceBytes }

  private let memory: StepMemory
  private var context: LayerContext
  private let layout: TrainingLayout
  /// The elements of the flat gradient buffer that do not train.
  private let frozen: [Range<Int>]
  /// Where the decaying weights of each block begin, and those behind the last one.
  private let starts: [Int]
  private var droppedFeatures = false

  /// Plans and allocates a step.
  ///
  /// - Parameter isCheckpointing: drop the maps within a block after its forward pass and compute
  ///   them again for its backward pass: the same results from less memory in more time.
  /// - Parameter dropPathRate: the share of the images for which the branch of the deepest blocks is
  ///   left out, in 0 ..< 1; it grows with the depth from 0.
  /// - Parameter freezing: what does not train; its gradients are zero.
  /// - Throws: `ArchitectureError` when the batch or the size makes no sense or needs more memory
  ///   than the machine has.
  public convenience init(
    _ network: Network, batch: Int, inputSize: Int, isCheckpointing: Bool = false,
    dropPathRate: Double = 0, freezing: Freezing = .none, pool: ThreadPool
  ) throws {
    let layout = try TrainingLayout(
      network.blueprint, batch: batch, inputSize: inputSize, isCheckpointing: isCheckpointing,
      dropPathRate: dropPathRate, freezing: freezing, pool: pool)
    try layout.checkMemory(batch: batch, inputSize: inputSize)
    self.init(
      network, layout, batch: batch, inputSize: inputSize, freezing: freezing,
      memory: StepMemory(for: [layout]), pool: pool)
  }

  /// A step in memory that other steps may use as well, one at a time.
  init(
    _ network: Network, _ layout: TrainingLayout, batch: Int, inputSize: Int, freezing: Freezing,
    memory: StepMemory, pool: ThreadPool
  ) {
    precondition(layout.extent <= memory.workspace.count)
    self.layout = layout
    self.memory = memory
    frozen = freezing.frozenRanges
    let table = network.parameters.table
    starts = (0...network.blueprint.blockCount).map { table.decayingStart(ofBlock: $0) }
    let workspace = memory.workspace.base
    context = LayerContext(
      workspace: workspace, shared: workspace + layout.own,
      weights: network.parameters.weights, gradients: network.parameters.gradients,
      statistics: network.parameters.buffers, counters: network.parameters.counters,
      expandedGradientSlot: layout.expandedGradient, filteredGradientSlot: layout.filteredGradient,
      skipGradientSlot: layout.skipGradient, scratch: memory.scratch, pool: pool)
    self.network = network
    self.batch = batch
    self.inputSize = inputSize
  }

  /// Where the times of the next steps are written.
  var profile: StepProfile? {
    get { context.profile }
    set { context.profile = newValue }
  }

  /// The normalised images [batch, size, size, channels], filled by the caller; a step leaves them
  /// unchanged.
  public var input: UnsafeMutablePointer<Float> { context[layout.input] }
  /// The result of `forward`: [batch, classes].
  public var logits: UnsafeMutablePointer<Float> { context[layout.body.classifier.saved.logits] }
  /// The gradient of the loss by the logits [batch, classes], filled by the caller before
  /// `backward`.
  public var logitGradient: UnsafeMutablePointer<Float> {
    context[layout.body.classifier.saved.logitGradient]
  }

  /// Computes the logits with the batch's own statistics and moves the running ones.
  ///
  /// - Parameters:
  ///   - key: which random numbers dropout and drop path draw; unused at rates of 0.
  ///   - normShare: the batch's share in the running statistics; nil for that of the training.
  public func forward(_ key: StepKey = StepKey(), normShare: Double? = nil) {
    precondition((0..<1).contains(dropRate), "a drop rate lies in 0 ..< 1")
    context.key = key
    context.normShare = normShare.map(Float.init)
    droppedFeatures = dropRate > 0
    layout.body.forward(
      input: input, dropout: droppedFeatures ? Dropout(rate: dropRate, key: key) : nil, context)
  }

  /// Computes the gradient of every weight from `logitGradient` and what `forward` left; once per
  /// `forward`, because gradients take the activations' places.
  ///
  /// - Parameter finished: is told, again and again, of the element from which on the decaying weights may
  ///   be updated: the gradients of those that train are done, and the weights are read no more.
  public func backward(finished: (_ start: Int) -> Void = { _ in }) {
    clearGradients(layout.addedGradients)
    layout.body.backward(
      input: input, dropped: droppedFeatures, finished: { finished(starts[$0]) }, context)
    // Some frozen tensors are given the gradient that fell off on the way.
    clearGradients(frozen)
  }

  private func clearGradients(_ ranges: [Range<Int>]) {
    for range in ranges {
      fill(context.gradients + range.lowerBound, 0, count: range.count, pool: context.pool)
    }
  }
}

/// The memory of a training step, large enough for each of several layouts.
final class StepMemory {
  let workspace: FloatMemory
  let scratch: NormScratch

  init(for layouts: [TrainingLayout]) {
    workspace = FloatMemory(count: layouts.map(\.extent).max() ?? 0)
    scratch = NormScratch(count: layouts.map(\.scratchFloats).max() ?? 0)
  }
}

extension Blueprint {
  /// Refuses sizes whose tensors could not even be addressed by the kernels.
  func checkExtent(batch: Int, inputSize: Int) throws {
    guard inputSize > 0 else { throw ArchitectureError.inputSize(inputSize, smallest: 1) }
    guard inputSize <= 1 << 14, batch <= 1 << 20 else {
      throw ArchitectureError.workspaceTooLarge(batch: batch, inputSize: inputSize)
    }
    var largest = inputSize * inputSize * inputChannels
    switch body {
    case .convolutional(let body):
      var size = inputSize
      for unit in body.convolutions {
        size = variant.padding.resolve(input: size, kernel: unit.kernel, stride: unit.stride).output
        largest = max(largest, size * size * unit.outputChannels)
      }
    case .transformer(let body):
      largest = max(largest, try body.tokens(inputSize: inputSize) * body.shape.hiddenChannels)
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
public func availableMemory() -> Int? {
  guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else { return nil }
  for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
    let fields = line.split(separator: " ")
    if fields.count >= 2, let kilobytes = Int(fields[1]) { return kilobytes * 1024 }
  }
  return nil
}
