import Foundation
import Glibc
import Model

/// What a training did to the folder of its run, so that it can be taken back and done again
/// without deleting anything.
struct RunFolderChange {
  /// The run's name.
  let name: String
  /// The folder that holds all runs.
  private let root: URL
  /// Where what was there before the command lies now: under another name, or as a copy.
  private var former: URL?
  /// Where what the command made lies while it is undone.
  private var undone: URL?

  /// The folder of copies below the runs, which is no run itself.
  static func copies(in root: URL) -> URL {
    root.appending(path: ".undo", directoryHint: .isDirectory)
  }

  /// A run that the command made; an older one of its name was moved aside.
  init(created name: String, movedAside: String?, in root: URL) {
    self.name = name
    self.root = root
    former = movedAside.map { root.appending(path: $0) }
  }

  /// A run that the command went on with, of which a copy was made before.
  init(extended name: String, copy: URL?, in root: URL) {
    self.name = name
    self.root = root
    former = copy
  }

  /// The name under which the undone run can be seen.
  var undoneName: String? { undone?.lastPathComponent }

  /// Puts the former run in the place of the present one, which is kept as `NAME.undone`.
  mutating func undo() throws {
    let place = root.appending(path: name)
    guard FileManager.default.fileExists(atPath: place.path) else { return }
    let target = Self.free("\(name).undone", in: root)
    try Self.move(place, target)
    undone = target
    if let former { try Self.move(former, place) }
  }

  /// The reverse of ``undo()``.
  mutating func redo() throws {
    guard let undone else { return }
    let place = root.appending(path: name)
    if FileManager.default.fileExists(atPath: place.path) {
      let target = former ?? Self.free("\(name).1", in: root)
      try Self.move(place, target)
      former = target
    }
    try Self.move(undone, place)
    self.undone = nil
  }

  /// A copy of a run's folder. Checkpoints are replaced whole and never written into, so their
  /// copies are links.
  static func copy(_ directory: RunDirectory, in root: URL) throws -> URL {
    let target = free("\(directory.name)-\(getpid())", in: copies(in: root))
    try copyFolder(directory.url, to: target)
    return target
  }

  private static func copyFolder(_ folder: URL, to target: URL) throws {
    let manager = FileManager.default
    try manager.createDirectory(at: target, withIntermediateDirectories: true)
    for name in try manager.contentsOfDirectory(atPath: folder.path) where name != ".lock" {
      let (from, to) = (folder.appending(path: name), target.appending(path: name))
      var isFolder: ObjCBool = false
      _ = manager.fileExists(atPath: from.path, isDirectory: &isFolder)
      if isFolder.boolValue {
        try copyFolder(from, to: to)
      } else if !name.hasSuffix(".safetensors") || link(from.path, to.path) != 0 {
        try manager.copyItem(at: from, to: to)
      }
    }
  }

  private static func free(_ name: String, in root: URL) -> URL {
    var number = 1
    while true {
      let candidate = root.appending(path: number == 1 ? name : "\(name).\(number)")
      if !FileManager.default.fileExists(atPath: candidate.path) { return candidate }
      number += 1
    }
  }

  private static func move(_ from: URL, _ to: URL) throws {
    guard rename(from.path, to.path) == 0 else { throw AtomicFile.Failure("move", from.path) }
  }
}
