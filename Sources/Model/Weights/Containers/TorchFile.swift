/// Opens files of `torch.save`.
enum TorchFile {
  /// What was found in one.
  typealias Contents = (tensors: [WeightTensor], notes: [String])

  /// The instructions that the pickle of a training state with thousands of tensors needs, many
  /// times over.
  private static let instructionLimit = 1_000_000
  /// `torch.serialization.MAGIC_NUMBER`, lowest byte first.
  private static let magic: [UInt8] = [
    0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19,
  ]

  /// A zip archive with a pickle and a file for each storage, as PyTorch has written since 1.6.
  static func zip(_ archive: ZipArchive) throws(ContainerProblem) -> Contents {
    guard let pickle = archive.entries.first(where: { isPickle($0.name) }) else {
      throw .absent("'data.pkl'")
    }
    let root = pickle.name.dropLast("data.pkl".count)
    if archive[root + "constants.pkl"] != nil {
      throw .unsupported("it is a TorchScript program; save the model's state_dict() instead")
    }
    var isBigEndian = false
    if let order = archive[root + "byteorder"] {
      isBigEndian = try archive.prefix(3, of: order) == Array("big".utf8)
    }
    // A damaged entry could claim to be as large as its packed bytes allow.
    guard pickle.size <= 256 << 20 else {
      throw .unsupported("its pickle has \(pickle.size) bytes")
    }
    let document = try archive.withContents(of: pickle) { bytes throws(ContainerProblem) in
      var offset = 0
      return try Self.pickle(bytes, at: &offset)
    }
    let tensors = TorchTensors(document, isBigEndian: isBigEndian) { storage in
      archive["\(root)data/\(storage.key)"].map { .zipped(archive, $0, 0..<$0.size) }
    }
    return try tensors.collect()
  }

  private static func isPickle(_ name: String) -> Bool {
    name == "data.pkl" || name.hasSuffix("/data.pkl")
  }

  /// Pickles and raw storages one after the other, as PyTorch wrote before 1.6: a magic number, a
  /// version, the writer's system, the object, the storages' keys; then for each key the number
  /// of elements and the elements.
  static func legacy(_ file: MappedFile) throws(ContainerProblem) -> Contents {
    var offset = 0
    let first = try pickle(file.bytes, at: &offset).root
    guard case .bigInteger(let digits) = first, digits.prefix(10).elementsEqual(magic) else {
      throw .unsupported("it is a pickle, but none of torch.save")
    }
    guard try pickle(file.bytes, at: &offset).root == .integer(1001) else {
      throw .unsupported("its version of PyTorch's format is unknown")
    }
    let system = try pickle(file.bytes, at: &offset)
    let isBigEndian = system.value(of: "little_endian", in: system.root) == .boolean(false)
    let document = try pickle(file.bytes, at: &offset)
    let keys = try pickle(file.bytes, at: &offset)
    let types = TorchTensors.storageTypes(of: document)
    var storages: [String: TensorBytes] = [:]
    for key in keys.sequence(keys.root) ?? [] {
      guard let key = keys.text(key), let type = types[key] ?? nil else {
        throw .malformed("a storage that no tensor refers to", offset: offset)
      }
      let stored = try file.number(offset, UInt64.self)
      guard let count = Int(exactly: isBigEndian ? stored.byteSwapped : stored), count < 1 << 59
      else { throw .malformed("a storage of absurd size", offset: offset) }
      offset += 8
      let size = count * type.byteCount
      _ = try file.part(offset, size)
      storages[key] = .mapped(file, offset..<(offset + size))
      offset += size
    }
    return try TorchTensors(document, isBigEndian: isBigEndian) { storages[$0.key] }.collect()
  }

  private static func pickle(
    _ bytes: UnsafeRawBufferPointer, at offset: inout Int
  ) throws(ContainerProblem) -> PickleDocument {
    do throws(PickleError) {
      return try PickleReader.read(
        bytes, at: &offset,
        rules: PickleRules(allowed: PickleGlobal.torch, acceptsInertClasses: true),
        limit: instructionLimit)
    } catch {
      throw .pickle(error)
    }
  }
}
