/// Where the bytes of a tensor lie: all containers come down to these few.
enum TensorBytes: Sendable {
  /// A part of a mapped file.
  case mapped(MappedFile, Range<Int>)
  /// A part of a mapped file with its masked CRC-32C, as TensorFlow writes it.
  case summed(MappedFile, Range<Int>, checksum: UInt32)
  /// Bytes that were taken out of a pickle.
  case memory(ArraySlice<UInt8>)
  /// A part of the contents of an entry of a zip archive.
  case zipped(ZipArchive, ZipArchive.Entry, Range<Int>)

  /// How many there are.
  var count: Int {
    switch self {
    case .mapped(_, let range), .summed(_, let range, _), .zipped(_, _, let range): range.count
    case .memory(let bytes): bytes.count
    }
  }

  /// A part of them.
  func part(_ range: Range<Int>) -> TensorBytes {
    func shifted(_ whole: Range<Int>) -> Range<Int> {
      (whole.lowerBound + range.lowerBound)..<(whole.lowerBound + range.upperBound)
    }
    precondition(range.upperBound <= count)
    switch self {
    case .mapped(let file, let whole): return .mapped(file, shifted(whole))
    case .summed: preconditionFailure("a checksum belongs to the whole tensor")
    case .memory(let bytes):
      return .memory(bytes[shifted(bytes.startIndex..<bytes.endIndex)])
    case .zipped(let archive, let entry, let whole): return .zipped(archive, entry, shifted(whole))
    }
  }

  /// Gives the bytes; packed ones are unpacked for the time of the call.
  func withBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws(ContainerProblem) -> Result
  ) throws(ContainerProblem) -> Result {
    switch self {
    case .mapped(let file, let range):
      return try body(try file.part(range.lowerBound, range.count))
    case .summed(let file, let range, let checksum):
      let bytes = try file.part(range.lowerBound, range.count)
      guard Checksum32C.masked(bytes) == checksum else { throw .checksum("a tensor") }
      return try body(bytes)
    case .memory(let bytes):
      return try bytes.withUnsafeBufferPointer { bytes throws(ContainerProblem) in
        try body(UnsafeRawBufferPointer(bytes))
      }
    case .zipped(let archive, let entry, let range):
      return try archive.withContents(of: entry) { contents throws(ContainerProblem) in
        try body(UnsafeRawBufferPointer(rebasing: contents[range]))
      }
    }
  }
}

/// One tensor of a weight file.
public struct WeightTensor: Sendable {
  /// The name; unique in the file.
  public let name: String
  /// How the elements are stored.
  public let type: ElementType
  /// The dimensions, in the file's order; none for a single number.
  public let shape: [Int]
  /// Where the elements lie.
  let bytes: TensorBytes
  /// How many elements apart neighbours lie along each dimension; nil when the last dimension is
  /// contiguous and nothing lies between.
  let strides: [Int]?
  /// Whether the highest byte of an element comes first.
  let isBigEndian: Bool

  /// The number of elements.
  public var count: Int { shape.reduce(1, *) }

  /// Describes a tensor after checking that its elements are where they should be.
  ///
  /// - Parameter bytes: hold the elements, and only them when they are contiguous.
  init(
    _ name: String, _ type: ElementType, _ shape: [Int], _ bytes: TensorBytes,
    strides: [Int]? = nil, isBigEndian: Bool = false
  ) throws(ContainerProblem) {
    guard shape.count <= SafeTensors.rankLimit else {
      throw .impossibleTensor(name, reason: "has \(shape.count) dimensions")
    }
    guard let count = elementCount(shape) else {
      throw .impossibleTensor(name, reason: "has impossible dimensions \(shape)")
    }
    let held = bytes.count / type.byteCount
    let isContiguous = strides.map { $0 == rowMajorStrides(shape) || count <= 1 } ?? true
    if isContiguous {
      guard held >= count, bytes.count - count * type.byteCount >= 0 else {
        throw .impossibleTensor(
          name, reason: "has the dimensions \(shape) but only \(held) numbers")
      }
      self.bytes =
        bytes.count == count * type.byteCount ? bytes : bytes.part(0..<(count * type.byteCount))
      self.strides = nil
    } else {
      guard let strides, let last = lastElement(shape, strides), last < held else {
        throw .impossibleTensor(name, reason: "has strides that lead outside of its storage")
      }
      // Repeating one number a billion times takes no room in a file, but much in memory.
      guard count <= max(held, 1 << 24) else {
        throw .impossibleTensor(name, reason: "repeats \(held) numbers \(count) times")
      }
      self.bytes = bytes
      self.strides = strides
    }
    self.name = name
    self.type = type
    self.shape = shape
    self.isBigEndian = isBigEndian
  }

  private init(_ name: String, _ other: WeightTensor) {
    self.name = name
    type = other.type
    shape = other.shape
    bytes = other.bytes
    strides = other.strides
    isBigEndian = other.isBigEndian
  }

  /// The same tensor under another name.
  func named(_ name: String) -> WeightTensor { WeightTensor(name, self) }
}

/// The product of dimensions; nil when one is negative or no tensor of doubles could be that large.
func elementCount(_ shape: [Int]) -> Int? {
  var count = 1
  for dimension in shape {
    let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
    guard dimension >= 0, !overflow, product < 1 << 59 else { return nil }
    count = product
  }
  return count
}

/// The strides of a tensor whose last dimension is contiguous.
func rowMajorStrides(_ shape: [Int]) -> [Int] {
  var strides = [Int](repeating: 1, count: shape.count)
  for axis in shape.indices.dropLast().reversed() {
    strides[axis] = strides[axis + 1] * max(1, shape[axis + 1])
  }
  return strides
}

/// The greatest place that strides reach; nil when they make no sense.
private func lastElement(_ shape: [Int], _ strides: [Int]) -> Int? {
  guard shape.count == strides.count else { return nil }
  var last = 0
  for (dimension, stride) in zip(shape, strides) {
    guard stride >= 0, dimension > 0 else { return nil }
    let (step, overflow) = (dimension - 1).multipliedReportingOverflow(by: stride)
    let (sum, second) = last.addingReportingOverflow(step)
    guard !overflow, !second else { return nil }
    last = sum
  }
  return last
}

extension WeightTensor {
  /// Gives the elements' bytes in row-major order, whatever the order in the file.
  func withContiguousBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws(ContainerProblem) -> Result
  ) throws(ContainerProblem) -> Result {
    try bytes.withBytes { source throws(ContainerProblem) in
      guard let strides else { return try body(source) }
      let size = type.byteCount
      var gathered = [UInt8](repeating: 0, count: count * size)
      gathered.withUnsafeMutableBytes { target in
        var place = [Int](repeating: 0, count: shape.count)
        var from = 0
        for index in 0..<count {
          for byte in 0..<size { target[index * size + byte] = source[from * size + byte] }
          for axis in shape.indices.reversed() {
            place[axis] += 1
            from += strides[axis]
            if place[axis] < shape[axis] { break }
            from -= strides[axis] * shape[axis]
            place[axis] = 0
          }
        }
      }
      return try gathered.withUnsafeBufferPointer { bytes throws(ContainerProblem) in
        try body(UnsafeRawBufferPointer(bytes))
      }
    }
  }
}
