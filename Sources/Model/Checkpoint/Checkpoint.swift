public import Foundation

/// The whole state of a training, in one file.
///
/// The file is a safetensors file: the network's tensors stand under timm's keys in timm's layout, so
/// that other tools can read them, the optimizer's slots as `optimizer.SLOT.KEY`, the running means of
/// the tensors, where there are any, as `ema.KEY`, and everything else, the `TrainingState`, as JSON in
/// the metadata. A digest guards all of it.
public struct Checkpoint: Sendable {
  /// The form of the state in the metadata.
  static let formatVersion = 1

  /// The file.
  public let url: URL
  /// Everything but the tensors.
  public let state: TrainingState
  private let file: SealedTensorFile

  private struct Metadata: Codable {
    let format: Int
    let state: TrainingState
  }

  private struct Format: Decodable {
    let format: Int
  }

  /// Reads a file and verifies its digest.
  /// - Throws: `CheckpointError`.
  public init(contentsOf url: URL) throws {
    try self.init(SealedTensorFile(contentsOf: url))
  }

  /// The state in a file, without a look at the tensors: for listings.
  /// - Throws: `CheckpointError`.
  static func state(of url: URL) throws -> TrainingState {
    try Checkpoint(SealedTensorFile(openingWithoutCheck: url)).state
  }

  private init(_ file: SealedTensorFile) throws {
    self.file = file
    url = file.url
    let metadata = Data(file.description.utf8)
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let format = try? decoder.decode(Format.self, from: metadata).format else {
      throw CheckpointError.notACheckpoint(file: url.path)
    }
    guard format <= Self.formatVersion else {
      throw CheckpointError.newerFormat(file: url.path, version: format)
    }
    do {
      state = try decoder.decode(Metadata.self, from: metadata).state
    } catch {
      throw CheckpointError.damaged(file: url.path)
    }
  }

  /// Writes the state of a training, replacing the file durably.
  static func write(
    _ state: TrainingState, network: Network, optimizer: any Optimizer,
    average: WeightAverage? = nil, to url: URL
  ) throws {
    var tensors = sources(network.parameters)
    for slot in optimizer.slots {
      tensors += slot.tensors.map { tensor in
        let values = slot.values + tensor.offset
        return SafeTensors.Source(
          name: slotName(slot, tensor), shape: tensor.timmShape,
          values: .floats { tensor.layout.toTimm(values, to: $0, shape: tensor.shape) })
      }
    }
    if let average { tensors += sources(average.parameters, prefix: averagePrefix) }
    let encoder = JSONEncoder()
    // An evaluation can overflow while the weights and the training loss are sound.
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let metadata = try encoder.encode(Metadata(format: formatVersion, state: state))
    try SealedTensorFile.write(
      description: String(decoding: metadata, as: UTF8.self), tensors: tensors, to: url)
  }

  /// All tensors of a store, under timm's keys in timm's layout.
  static func sources(
    _ store: ParameterStore, prefix: String = ""
  ) -> [SafeTensors.Source] {
    store.table.entries.map { info in
      let values: SafeTensors.Source.Values
      switch info.storage {
      case .weights:
        values = floats(store.weights, info)
      case .buffers:
        values = floats(store.buffers, info)
      case .counters:
        values = .integer(store.counters[info.offset])
      }
      return SafeTensors.Source(name: prefix + info.path, shape: info.timmShape, values: values)
    }
  }

  private static func floats(
    _ buffer: UnsafeMutablePointer<Float>, _ info: ParameterInfo
  ) -> SafeTensors.Source.Values {
    .floats { info.layout.toTimm(buffer + info.offset, to: $0, shape: info.shape) }
  }

  /// Which of a checkpoint's weights are meant.
  public enum Weights: Sendable {
    /// Those that are trained.
    case raw
    /// Their running mean where the checkpoint has it, else those that are trained.
    case averaged
  }

  /// Whether the checkpoint holds the running mean of the weights.
  public var holdsAverage: Bool { file.names.contains { $0.hasPrefix(Self.averagePrefix) } }

  /// Gives a network the weights and running statistics of the checkpoint. When it throws, the
  /// network is as it was.
  /// - Throws: `CheckpointError.missingTensor`, `.wrongShape`.
  public func restore(into network: Network, _ weights: Weights = .raw) throws {
    let isAveraged = weights == .averaged && holdsAverage
    try restore(into: network.parameters, prefix: isAveraged ? Self.averagePrefix : "")
  }

  private func restore(into store: ParameterStore, prefix: String) throws {
    try Self.restore(file, into: store, prefix: prefix)
  }

  /// Gives a store all tensors of a file, or none when it throws.
  static func restore(_ file: SealedTensorFile, into store: ParameterStore, prefix: String) throws {
    for isTrial in [true, false] {
      for info in store.table.entries {
        if info.storage == .counters {
          let value = try file.integer(prefix + info.path)
          if !isTrial { store.counters[info.offset] = value }
          continue
        }
        let base = info.storage == .weights ? store.weights : store.buffers
        try file.withFloats(prefix + info.path, shape: info.timmShape) {
          if !isTrial { info.layout.fromTimm($0, to: base + info.offset, shape: info.shape) }
        }
      }
    }
  }

  /// Gives a network, its optimizer and the average of its weights the state of the checkpoint. An
  /// average that the checkpoint does not know begins at its weights, and without an optimizer its
  /// slots are left out.
  /// - Throws: `CheckpointError`, `TrainingError.missingSlot` for the slots of another rule.
  func restore(
    into network: Network, _ optimizer: (any Optimizer)?, _ average: WeightAverage? = nil
  ) throws {
    let names = Set(file.names)
    let slots = optimizer?.slots ?? []
    for slot in slots {
      for tensor in slot.tensors {
        let name = Self.slotName(slot, tensor)
        guard names.contains(name) else { throw TrainingError.missingSlot(name) }
      }
    }
    try restore(into: network)
    for slot in slots {
      for tensor in slot.tensors {
        try file.withFloats(Self.slotName(slot, tensor), shape: tensor.timmShape) {
          tensor.layout.fromTimm($0, to: slot.values + tensor.offset, shape: tensor.shape)
        }
      }
    }
    optimizer?.updates = state.step - (state.phaseStart ?? 0)
    if let average {
      try restore(into: average.parameters, prefix: holdsAverage ? Self.averagePrefix : "")
    }
  }

  private static func slotName(_ slot: OptimizerSlot, _ tensor: OptimizerSlot.Tensor) -> String {
    "\(slotPrefix)\(slot.name).\(tensor.path)"
  }

  private static let slotPrefix = "optimizer."
  private static let averagePrefix = "ema."

  /// Whether a tensor file with this metadata was written as a checkpoint.
  static func isCheckpoint(_ metadata: [String: String]) -> Bool {
    metadata["digest"] != nil && metadata["description"] != nil
  }

  /// Whether a tensor of a checkpoint belongs to the training and not to the network.
  static func isTrainingState(_ name: String) -> Bool {
    name.hasPrefix(slotPrefix) || name.hasPrefix(averagePrefix)
  }
}

extension Network {
  /// SHA-256 over all tensors, in timm's order and layout: equal for equal networks, however they are
  /// stored here.
  public var weightDigest: String {
    let digest = Digest(.sha256)
    for info in parameters.table.entries {
      Array(info.path.utf8).withUnsafeBytes { digest.update($0) }
      if info.storage == .counters {
        withUnsafeBytes(of: parameters.counters[info.offset].littleEndian) { digest.update($0) }
        continue
      }
      let base = info.storage == .weights ? parameters.weights : parameters.buffers
      let values = [Float](unsafeUninitializedCapacity: info.count) { buffer, count in
        if let target = buffer.baseAddress {
          info.layout.toTimm(base + info.offset, to: target, shape: info.shape)
        }
        count = info.count
      }
      values.withUnsafeBytes { digest.update($0) }
    }
    return digest.finish()
  }
}
