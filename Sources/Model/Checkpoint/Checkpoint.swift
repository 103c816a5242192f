public import Foundation

/// The whole state of a training, in one file.
///
/// The file is a safetensors file: the network's tensors stand under timm's keys in timm's layout, so
/// that other tools can read them, the optimizer's slots as `optimizer.SLOT.KEY`, and everything else,
/// the `TrainingState`, as JSON in the metadata. A digest guards all of it.
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
    _ state: TrainingState, network: Network, optimizer: any Optimizer, to url: URL
  ) throws {
    let store = network.parameters
    var tensors = store.table.entries.map { info in
      let values: SafeTensors.Source.Values
      switch info.storage {
      case .weights:
        values = floats(store.weights, info)
      case .buffers:
        values = floats(store.buffers, info)
      case .counters:
        values = .integer(store.counters[info.offset])
      }
      return SafeTensors.Source(name: info.path, shape: info.timmShape, values: values)
    }
    for slot in optimizer.slots {
      for info in store.table.entries where info.storage == .weights {
        tensors.append(
          SafeTensors.Source(
            name: slotName(slot, info), shape: info.timmShape,
            values: floats(slot.values, info)))
      }
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let metadata = try encoder.encode(Metadata(format: formatVersion, state: state))
    try SealedTensorFile.write(
      description: String(decoding: metadata, as: UTF8.self), tensors: tensors, to: url)
  }

  private static func floats(
    _ buffer: UnsafeMutablePointer<Float>, _ info: ParameterInfo
  ) -> SafeTensors.Source.Values {
    .floats { info.layout.toTimm(buffer + info.offset, to: $0, shape: info.shape) }
  }

  /// Gives a network the weights and running statistics of the checkpoint. When it throws, the
  /// network is as it was.
  /// - Throws: `CheckpointError.missingTensor`, `.wrongShape`.
  public func restore(into network: Network) throws {
    let store = network.parameters
    for isTrial in [true, false] {
      for info in store.table.entries {
        if info.storage == .counters {
          let value = try file.integer(info.path)
          if !isTrial { store.counters[info.offset] = value }
          continue
        }
        let base = info.storage == .weights ? store.weights : store.buffers
        try file.withFloats(info.path, shape: info.timmShape) {
          if !isTrial { info.layout.fromTimm($0, to: base + info.offset, shape: info.shape) }
        }
      }
    }
  }

  /// Gives a network and its optimizer the state of the checkpoint.
  /// - Throws: `CheckpointError`, `TrainingError.missingSlot` for the slots of another rule.
  func restore(into network: Network, _ optimizer: any Optimizer) throws {
    let names = Set(file.names)
    for slot in optimizer.slots {
      for info in network.parameters.table.entries where info.storage == .weights {
        let name = Self.slotName(slot, info)
        guard names.contains(name) else { throw TrainingError.missingSlot(name) }
      }
    }
    try restore(into: network)
    for slot in optimizer.slots {
      for info in network.parameters.table.entries where info.storage == .weights {
        try file.withFloats(Self.slotName(slot, info), shape: info.timmShape) {
          info.layout.fromTimm($0, to: slot.values + info.offset, shape: info.shape)
        }
      }
    }
  }

  private static func slotName(_ slot: OptimizerSlot, _ info: ParameterInfo) -> String {
    "\(slotPrefix)\(slot.name).\(info.path)"
  }

  private static let slotPrefix = "optimizer."

  /// Whether a tensor file with this metadata was written as a checkpoint.
  static func isCheckpoint(_ metadata: [String: String]) -> Bool {
    metadata["digest"] != nil && metadata["description"] != nil
  }

  /// Whether a tensor of a checkpoint belongs to the optimizer and not to the network.
  static func isOptimizerState(_ name: String) -> Bool { name.hasPrefix(slotPrefix) }
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
