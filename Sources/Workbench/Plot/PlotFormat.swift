import Foundation

/// What a figure can be written as, chosen by the ending of the file's name.
enum PlotFormat: String, Sendable, CaseIterable {
  case png, svg, pdf
  /// Text, as in a terminal.
  case txt
  /// The gnuplot script alone.
  case gp
  /// The data alone.
  case csv

  /// All endings, for messages.
  static let list = allCases.map(\.rawValue).joined(separator: ", ")

  init(path: String) throws(PlotError) {
    let suffix = URL(fileURLWithPath: path).pathExtension.lowercased()
    guard let format = PlotFormat(rawValue: suffix) else {
      throw .unknownFormat(name: URL(fileURLWithPath: path).lastPathComponent)
    }
    self = format
  }

  /// gnuplot's terminals for the format, best first; none where gnuplot is not needed.
  var terminals: [String] {
    switch self {
    case .png: ["pngcairo", "png"]
    case .svg: ["svg"]
    case .pdf: ["pdfcairo", "pdf"]
    case .txt: ["dumb"]
    case .gp, .csv: []
    }
  }

  /// Why bytes are not a complete file of this format; `nil` if they look like one.
  func fault(in data: Data) -> String? {
    if data.isEmpty { return "the file is empty" }
    func ends(with mark: String) -> Bool {
      data.suffix(64).range(of: Data(mark.utf8)) != nil
    }
    let (starts, complete): (Bool, Bool) =
      switch self {
      case .png:
        (data.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]), ends(with: "IEND"))
      case .svg: (data.prefix(400).range(of: Data("<svg".utf8)) != nil, ends(with: "</svg>"))
      case .pdf: (data.starts(with: Data("%PDF-".utf8)), ends(with: "%%EOF"))
      case .txt, .gp, .csv: (true, true)
      }
    if !starts { return "it is not a \(rawValue) file" }
    return complete ? nil : "it is cut short"
  }
}
