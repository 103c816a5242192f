extension NumPyFile {
  /// Writes a `.npz`, as `numpy.savez` does.
  /// - Throws: `AtomicFile.Failure`, `WeightError.tooLargeToWrite`, and what reading the tensors
  ///   throws.
  static func write(_ tensors: [SafeTensors.Source], to zip: inout ZipWriter) throws {
    var scratch = TensorScratch(tensors)
    for tensor in tensors {
      let header = header(of: tensor)
      try zip.add(tensor.name + ".npy", size: header.count + tensor.byteCount) { write in
        try header.withUnsafeBytes { try write($0) }
        try scratch.withBytes(of: tensor, write)
      }
    }
    try zip.finish()
  }

  /// The mark, version 1, and the description, filled up so that the numbers are aligned.
  private static func header(of tensor: SafeTensors.Source) -> [UInt8] {
    let sizes = tensor.shape.map(String.init).joined(separator: ", ")
    let shape = tensor.shape.count == 1 ? "(\(sizes),)" : "(\(sizes))"
    let code = tensor.type == .float32 ? "<f4" : "<i8"
    var text = Array("{'descr': '\(code)', 'fortran_order': False, 'shape': \(shape), }".utf8)
    text += [UInt8](repeating: 0x20, count: roundUp(text.count + 11, to: 64) - text.count - 11)
    text.append(0x0A)
    return [0x93] + Array("NUMPY".utf8) + [1, 0]
      + [UInt8(truncatingIfNeeded: text.count), UInt8(truncatingIfNeeded: text.count >> 8)] + text
  }
}
