public import Foundation

extension SafeTensors {
  /// A tensor to be written; its numbers are asked for when it is its turn.
  public struct OutgoingTensor {
    /// The numbers of a tensor.
    public enum Values {
      case floats(() -> [Float])
      case integers(() -> [Int64])
    }

    /// Its key.
    public let name: String
    /// Its dimensions, the slowest first.
    public let shape: [Int]
    /// Its numbers, as many as the shape says.
    public let values: Values

    /// Creates a tensor of float32 or 64-bit integers.
    public init(name: String, shape: [Int], values: Values) {
      self.name = name
      self.shape = shape
      self.values = values
    }

    fileprivate var type: ElementType {
      switch values {
      case .floats: .float32
      case .integers: .int64
      }
    }
  }

  /// Writes a file, atomically: temporary file, fsync, rename.
  ///
  /// The order is the reference implementation's (wide types first, then by name), so the same
  /// tensors always make the same bytes.
  ///
  /// - Throws: `WeightError.cannotWrite`.
  public static func write(
    _ tensors: [OutgoingTensor], metadata: [String: String] = ["format": "pt"], to url: URL
  ) throws {
    let ordered = tensors.sorted { first, second in
      first.type.size != second.type.size
        ? first.type.size > second.type.size
        : first.name.utf8.lexicographicallyPrecedes(second.name.utf8)
    }
    var file = try AtomicFile(url)
    let header = header(ordered, metadata)
    try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try file.write($0) }
    try header.withUnsafeBytes { try file.write($0) }
    for tensor in ordered {
      let count = tensor.shape.reduce(1, *)
      switch tensor.values {
      case .floats(let values):
        let numbers = values()
        precondition(numbers.count == count, "a tensor has as many numbers as its shape says")
        try numbers.withUnsafeBytes { try file.write($0) }
      case .integers(let values):
        let numbers = values()
        precondition(numbers.count == count, "a tensor has as many numbers as its shape says")
        try numbers.withUnsafeBytes { try file.write($0) }
      }
    }
    try file.commit()
  }

  /// Writes a network's tensors with timm's keys and layouts, as `load_state_dict` takes them
  /// strictly.
  ///
  /// - Throws: `WeightError.cannotWrite`.
  public static func write(
    _ network: Network, metadata: [String: String] = ["format": "pt"], to url: URL
  ) throws {
    try write(network.timmTensors(), metadata: metadata, to: url)
  }

  private static func header(
    _ tensors: [OutgoingTensor], _ metadata: [String: String]
  ) -> [UInt8] {
    var members: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quote($0.key)):\(quote($0.value))" }
      members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var offset = 0
    for tensor in tensors {
      let end = offset + tensor.shape.reduce(tensor.type.size, *)
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      members.append(
        "\(quote(tensor.name)):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var text = Array("{\(members.joined(separator: ","))}".utf8)
    text += Array(repeating: UInt8(ascii: " "), count: roundUp(text.count, to: 8) - text.count)
    return text
  }

  private static func quote(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\u{0}"..<" ":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

extension Network {
  /// Every tensor with its timm key, shape and layout.
  func timmTensors() -> [SafeTensors.OutgoingTensor] {
    let store = parameters
    return blueprint.parameters.entries.map { info in
      let values: SafeTensors.OutgoingTensor.Values
      if info.storage == .counters {
        values = .integers { [store.counters[info.offset]] }
      } else {
        values = .floats {
          let source = info.storage == .weights ? store.weights : store.buffers
          return [Float](unsafeUninitializedCapacity: info.count) { buffer, count in
            guard let base = buffer.baseAddress else { return }
            info.layout.toTimm(source + info.offset, to: base, shape: info.shape)
            count = info.count
          }
        }
      }
      return SafeTensors.OutgoingTensor(name: info.path, shape: info.timmShape, values: values)
    }
  }
}
