internal import Foundation

/// Room for one tensor on its way into a file, as large as the largest.
struct TensorScratch: ~Copyable {
  // SAFETY: made in `init`, freed in `deinit`, never handed out for longer than a call.
  private let memory: UnsafeMutableRawBufferPointer

  init(_ tensors: [SafeTensors.Source]) {
    memory = .allocate(
      byteCount: max(8, tensors.map(\.byteCount).max() ?? 0), alignment: 64)
  }

  deinit { memory.deallocate() }

  /// Gives the little-endian bytes of a tensor.
  mutating func withBytes(
    of tensor: SafeTensors.Source, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    switch tensor.values {
    case .floats(let fill):
      if let base = memory.baseAddress?.bindMemory(to: Float.self, capacity: tensor.count) {
        try fill(base)
      }
    case .integer(let value): memory.storeBytes(of: value.littleEndian, as: Int64.self)
    case .integers(let values):
      let values = try values()
      precondition(values.count == tensor.count)
      values.withUnsafeBytes { memory.copyMemory(from: $0) }
    }
    try body(UnsafeRawBufferPointer(rebasing: memory[..<tensor.byteCount]))
  }
}

extension SafeTensors {
  /// One tensor to be written.
  struct Source {
    enum Values {
      /// Fills a buffer of floats, in the layout of the file.
      case floats((UnsafeMutablePointer<Float>) throws -> Void)
      case integer(Int64)
      case integers(() throws -> [Int64])
    }
    let name: String
    let shape: [Int]
    let values: Values

    var count: Int { shape.reduce(1, *) }
    var byteCount: Int { count * type.byteCount }
    var type: ElementType {
      switch values {
      case .floats: .float32
      case .integer, .integers: .int64
      }
    }
  }

  /// Produces the bytes of a file, piece by piece: the header, then the tensors in their order.
  ///
  /// - Parameter metadata: names and texts, in the order of the header.
  static func write(
    metadata: [(name: String, text: String)], tensors: [Source],
    to output: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try header(metadata: metadata, tensors: tensors).withUnsafeBytes { try output($0) }
    var scratch = TensorScratch(tensors)
    for tensor in tensors { try scratch.withBytes(of: tensor, output) }
  }

  /// The length and the header, as Hugging Face's library writes them.
  private static func header(
    metadata: [(name: String, text: String)], tensors: [Source]
  ) -> [UInt8] {
    var members = [
      "\"__metadata__\":{"
        + metadata.map { "\(quoted($0.name)):\(quoted($0.text))" }.joined(separator: ",") + "}"
    ]
    var offset = 0
    for tensor in tensors {
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      members.append(
        "\(quoted(tensor.name)):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(offset),\(offset + tensor.byteCount)]}")
      offset += tensor.byteCount
    }
    var text = Array("{\(members.joined(separator: ","))}".utf8)
    // The format allows spaces at the end, which bring the numbers to a multiple of 8.
    text += [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
    return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
  }

  private static func quoted(_ text: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    guard let data = try? encoder.encode(text) else {
      preconditionFailure("every string can be written as JSON")
    }
    return String(decoding: data, as: UTF8.self)
  }
}
