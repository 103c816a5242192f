// The entry of libFuzzer: every input is taken for a file of the kind that READER names, opened, and
// read to the last number. Whatever happens, it must end in tensors or in a `ContainerProblem`.

import Glibc

enum Reader: String, CaseIterable {
  case safeTensors = "safetensors"
  case torchZip = "torch-zip"
  case torchLegacy = "torch-legacy"
  case numpyArray = "npy"
  case numpyArchive = "npz"
  case tensorFlow = "tensorflow"
  case hdf5 = "hdf5"

  static let chosen: Reader = {
    let name = getenv("READER").map { String(cString: $0) } ?? ""
    guard let reader = Reader(rawValue: name) else {
      fatalError("READER must be one of \(Reader.allCases.map(\.rawValue))")
    }
    return reader
  }()

  func tensors(_ file: MappedFile) throws -> [WeightTensor] {
    switch self {
    case .safeTensors:
      let header = try SafeTensors.Header(file.bytes)
      try header.check(size: file.bytes.count)
      return []
    case .torchZip: return try TorchFile.zip(ZipArchive(file)).tensors
    case .torchLegacy: return try TorchFile.legacy(file).tensors
    case .numpyArray: return try NumPyFile.array(file)
    case .numpyArchive: return try NumPyFile.archive(ZipArchive(file))
    case .tensorFlow:
      // The data file is the input itself: its places are as good as any.
      var checkpoint = TensorFlowCheckpoint(index: file) { _, _ in file }
      return try checkpoint.tensors()
    case .hdf5: return try HDF5File.tensors(file)
    }
  }
}

/// What libFuzzer calls with every input: `count` bytes at `start`. Never fails; returns 0.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let file = MappedFile(copying: UnsafeBufferPointer(start: start, count: count))
  guard let tensors = try? Reader.chosen.tensors(file) else { return 0 }
  for tensor in tensors where tensor.count < 1 << 20 {
    let size = try? tensor.withContiguousBytes { bytes throws(ContainerProblem) in bytes.count }
    precondition(size == nil || size == tensor.count * tensor.type.byteCount)
  }
  return 0
}
