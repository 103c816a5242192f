import DSL
import Foundation
import Model

/// C10: data that is not on this machine.
enum DataRule {
  static func rule(_ situation: CheckSituation) -> CheckRule {
    let places = situation.places
    return CheckRule { script in
      script.steps.compactMap { step -> Diagnostic? in
        let invocation = step.invocation
        guard invocation.name == "data", let name = invocation.string("name"),
          !["digits", "verify"].contains(name), !invocation.has("download"),
          !isFetched(name, before: step, in: script)
        else { return nil }
        for key in ["dir", "file", "class-map"] {
          guard let argument = invocation.argument(key) else { continue }
          if !FileManager.default.fileExists(atPath: places.input(argument.text).path) {
            return Diagnostic(
              rule: .noData, message: "there is no '\(argument.text)'", at: argument.range,
              hint: "'data' reads it from beside the script or from here")
          }
        }
        guard !invocation.isGiven("dir"), !invocation.isGiven("file"),
          !["folder", "tar"].contains(name), DataPlaces.find(name, places) == nil
        else { return nil }
        let tried = DataPlaces.folders
        return Diagnostic(
          rule: .noData, message: "no \(name) files were found in \(tried.joined(separator: ", "))",
          at: invocation.range(of: "name"), hint: "name their folder: data \(name) dir=PATH")
      }
    }
  }

  private static func isFetched(_ name: String, before step: Step, in script: CheckedScript) -> Bool
  {
    script.isUnknowable(before: step)
      || script.last(before: step) { invocation in
        ["data", "download"].contains(invocation.name)
          && invocation.positionals.first?.text == name
          && (invocation.name == "download" || invocation.has("download"))
      } != nil
  }
}

/// C11: weights that are not on this machine, or are others than the script was written with.
enum WeightRule {
  static func rule(_ situation: CheckSituation) -> CheckRule {
    let places = situation.places
    return CheckRule { script in
      script.steps.compactMap { step -> Diagnostic? in
        let invocation = step.invocation
        guard invocation.name == "load", !script.isUnknowable(before: step),
          let name = invocation.string("model"), let variant = try? Variant.named(name)
        else { return nil }
        do {
          guard let file = try file(of: invocation, variant, step, script, places) else {
            return nil
          }
          return digestProblem(file, invocation)
        } catch let error as any ModelError {
          return Diagnostic(
            rule: .noWeights, message: error.message,
            at: invocation.range(of: invocation.isGiven("weights") ? "weights" : "model"),
            hint: error.advice)
        } catch {
          return nil
        }
      }
    }
  }

  /// The file that is loaded; nil for new weights, and for a file that the script makes itself.
  private static func file(
    of invocation: Invocation, _ variant: Variant, _ step: Step, _ script: CheckedScript,
    _ places: Places
  ) throws -> URL? {
    if invocation.has("pretrained") {
      let fetches = script.last(before: step) {
        $0.name == "download" && $0.string("what") == "weights"
      }
      return fetches == nil ? try WeightLocator.find(variant) : nil
    }
    guard let path = invocation.string("weights") else { return nil }
    let isMade = script.steps.prefix(step.index).contains {
      $0.invocation.writes.contains(.file(path))
    }
    guard !isMade else { return nil }
    let file = places.input(path)
    guard
      FileManager.default.fileExists(atPath: file.path)
        || FileManager.default.fileExists(atPath: file.path + ".index")
    else { throw MissingFile(path: path) }
    return file
  }

  private static func digestProblem(_ file: URL, _ invocation: Invocation) -> Diagnostic? {
    guard let wanted = invocation.string("sha256")?.lowercased(),
      let opened = try? WeightFile.open(file),
      let digest = try? opened.sha256(knownBy: DigestCache(file: HomeFolder.digests)),
      digest != wanted
    else { return nil }
    return Diagnostic(
      rule: .otherWeights,
      message: "\(opened.url.path) has the SHA-256 \(digest), expected \(wanted)",
      at: invocation.range(of: "sha256"),
      hint: "it is not the file that the script was written with")
  }

  private struct MissingFile: ModelError {
    let path: String
    var message: String { "there is no file '\(path)'" }
    var advice: String? { "'load' looks beside the script and from here" }
    var kind: ModelErrorKind { .resource }
  }
}
