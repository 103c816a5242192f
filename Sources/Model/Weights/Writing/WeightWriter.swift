public import Foundation

/// The kinds of files that weights are written to.
public enum WeightFormat: String, Sendable, CaseIterable {
  case safeTensors = "safetensors"
  /// `torch.save`'s zip archive of a state dict.
  case torch = "pth"
  case numpy = "npz"

  /// The format that a file's name asks for.
  /// - Throws: `WeightError.unknownFormat`.
  public init(of url: URL) throws {
    switch url.pathExtension.lowercased() {
    case "safetensors": self = .safeTensors
    case "pth", "pt": self = .torch
    case "npz": self = .numpy
    default: throw WeightError.unknownFormat(url.path)
    }
  }
}

/// Writes the weights of a network for other tools.
public enum WeightWriter {
  /// Replaces a file by one of the network's tensors: timm's names and layouts, floats and 64-bit
  /// integers, so that timm loads it strictly.
  ///
  /// The order is that of Hugging Face's own library (integers first, then by name), so equal
  /// networks give equal files, and a safetensors file is the same as `safetensors.torch.save_file`
  /// would write. The file is whole or absent, even after a crash.
  ///
  /// - Throws: `AtomicFile.Failure`, `WeightError.tooLargeToWrite`.
  public static func write(
    _ network: Network, to url: URL, as format: WeightFormat = .safeTensors
  ) throws {
    let store = network.parameters
    let tensors = inFileOrder(store.table.entries).map { info in
      let values: SafeTensors.Source.Values
      switch info.storage {
      case .counters: values = .integer(store.counters[info.offset])
      case .weights, .buffers:
        let base = (info.storage == .weights ? store.weights : store.buffers) + info.offset
        values = .floats { info.layout.toTimm(base, to: $0, shape: info.shape) }
      }
      return SafeTensors.Source(name: info.path, shape: info.timmShape, values: values)
    }
    try write(tensors, to: url, as: format)
  }

  /// Hugging Face's order: integers first, then by name.
  static func inFileOrder(_ entries: [ParameterInfo]) -> [ParameterInfo] {
    entries.sorted {
      let counts = ($0.storage == .counters, $1.storage == .counters)
      return counts.0 == counts.1 ? $0.path < $1.path : counts.0
    }
  }

  /// Replaces a file by one of these tensors, which are asked for one after the other.
  static func write(
    _ tensors: [SafeTensors.Source], to url: URL, as format: WeightFormat
  ) throws {
    try AtomicFile.write(to: url) { descriptor in
      switch format {
      case .safeTensors:
        try SafeTensors.write(metadata: [("format", "pt")], tensors: tensors) {
          try AtomicFile.append($0, to: descriptor, path: url.path)
        }
      case .torch:
        var zip = ZipWriter(descriptor: descriptor, path: url.path)
        try TorchFile.write(tensors, to: &zip)
      case .numpy:
        var zip = ZipWriter(descriptor: descriptor, path: url.path)
        try NumPyFile.write(tensors, to: &zip)
      }
    }
  }
}
