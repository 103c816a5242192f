extension TorchFile {
  /// Writes a state dict as `torch.save` does: `torch.load` reads it with `weights_only=True`.
  /// - Throws: `AtomicFile.Failure`, `WeightError.tooLargeToWrite`, and what reading the tensors
  ///   throws.
  static func write(_ tensors: [SafeTensors.Source], to zip: inout ZipWriter) throws {
    try zip.add("archive/data.pkl", pickle(tensors))
    try zip.add("archive/byteorder", Array("little".utf8))
    var scratch = TensorScratch(tensors)
    for (index, tensor) in tensors.enumerated() {
      try zip.add("archive/data/\(index)", size: tensor.byteCount) { write in
        try scratch.withBytes(of: tensor, write)
      }
    }
    try zip.add("archive/version", Array("3\n".utf8))
    try zip.finish()
  }

  /// The pickle of an `OrderedDict` of tensors, each in a storage of its own.
  private static func pickle(_ tensors: [SafeTensors.Source]) -> [UInt8] {
    var pickle = PickleWriter()
    pickle.global("collections", "OrderedDict")
    pickle.emit(.emptyTuple, .reduce, .mark)
    for (index, tensor) in tensors.enumerated() {
      pickle.text(tensor.name)
      pickle.global("torch._utils", "_rebuild_tensor_v2")
      pickle.emit(.mark)
      pickle.storage(tensor, key: String(index))
      pickle.integer(0)
      pickle.tuple(tensor.shape)
      pickle.tuple(rowMajorStrides(tensor.shape))
      pickle.emit(.newFalse)
      pickle.global("collections", "OrderedDict")
      pickle.emit(.emptyTuple, .reduce, .tuple, .reduce)
    }
    pickle.emit(.setItems)
    return pickle.finish()
  }
}

/// Puts the instructions of a pickle of protocol 2 together.
private struct PickleWriter {
  private var bytes: [UInt8] = [PickleInstruction.proto.rawValue, 2]

  mutating func emit(_ instructions: PickleInstruction...) {
    bytes += instructions.map(\.rawValue)
  }

  mutating func global(_ module: String, _ name: String) {
    emit(.global)
    bytes += Array("\(module)\n\(name)\n".utf8)
  }

  mutating func text(_ text: String) {
    emit(.binUnicode)
    append(UInt32(text.utf8.count))
    bytes += Array(text.utf8)
  }

  mutating func integer(_ value: Int) {
    if let small = Int32(exactly: value) {
      emit(.binInt)
      append(small)
    } else {
      emit(.long1)
      bytes.append(8)
      append(Int64(value))
    }
  }

  mutating func tuple(_ values: [Int]) {
    emit(.mark)
    values.forEach { integer($0) }
    emit(.tuple)
  }

  /// `('storage', type, key, 'cpu', count)` as the id of something outside the pickle.
  mutating func storage(_ tensor: SafeTensors.Source, key: String) {
    emit(.mark)
    text("storage")
    global("torch", tensor.type == .float32 ? "FloatStorage" : "LongStorage")
    text(key)
    text("cpu")
    integer(tensor.count)
    emit(.tuple, .binPersistentID)
  }

  consuming func finish() -> [UInt8] { bytes + [UInt8(ascii: ".")] }

  private mutating func append(_ number: some FixedWidthInteger) {
    withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
  }
}
