import Foundation

/// Where data sets are looked for when nobody names their folder.
enum DataPlaces {
  /// The folders as one writes them, in the order in which they are tried.
  static let folders = ["datasets", "data", "~/.workbench/datasets"]

  /// The same as places on this machine.
  static func candidates(_ places: Places) -> [URL] { folders.map(places.input) }

  /// The folder with the files of a data set; nil where there is none.
  static func find(_ name: String, _ places: Places) -> URL? {
    let folders = ["cifar10": "cifar-10-batches", "cifar100": "cifar-100"]
    let wanted = folders[name] ?? name.replacing("_", with: "")
    return candidates(places).first { candidate in
      let inside = (try? FileManager.default.contentsOfDirectory(atPath: candidate.path)) ?? []
      return inside.contains { $0.lowercased().replacing("_", with: "").hasPrefix(wanted) }
    }
  }
}
