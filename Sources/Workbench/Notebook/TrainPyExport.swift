import DSL
import Foundation
import Model

/// The settings of a session as flags of the original notebook's train.py.
struct TrainPyExport {
  /// The command line.
  let line: String
  /// What train.py cannot be told, a sentence each.
  let remarks: [String]

  init(_ state: WorkbenchState) {
    var words: [String] = []
    var remarks: [String] = []
    if let data = state.data { words += Self.data(data, &remarks) }
    if let model = state.model { words += Self.model(model, &remarks) }
    for key in state.values.changed {
      let value = state.values[key.name]
      if let reason = state.values.inertReason(key) {
        remarks.append("\(key.name)=\(value.text) is left out: it has no effect (\(reason))")
        continue
      }
      let isKnown = TrainPyFlag.all.contains { $0.meaning == .setting(key) }
      if isKnown {
        words += Self.flag(key, value)
      } else if key.changesResult {
        remarks.append("train.py has no flag for \(key.name)=\(value.text)")
      }
    }
    let folder = state.data?.request.directory ?? "datasets"
    line = (["python", "train.py", folder] + words).map(ShellWords.quoted).joined(separator: " ")
    self.remarks = remarks
  }

  private static func flag(_ key: HyperparameterKey, _ value: HyperparameterValue) -> [String] {
    switch value {
    case .flag(let isOn): isOn ? ["--\(key.name)"] : []
    case .numbers(let numbers): ["--\(key.name)"] + numbers.map { ReportValue.shortest($0) }
    case .integer(let side) where key.name == "input-size":
      ["--\(key.name)", "3", "\(side)", "\(side)"]
    default: ["--\(key.name)", value.text]
    }
  }

  private static func data(_ data: LoadedData, _ remarks: inout [String]) -> [String] {
    if data.request.limit != nil || data.request.validationFraction != nil {
      remarks.append("train.py has no flag for limit= and val-fraction= of 'data'")
    }
    switch data.request.name {
    case "digits":
      remarks.append("train.py cannot read the digits, which are part of this program")
      return []
    case "folder", "tar": return ["--dataset", ""]
    default: return ["--dataset", "torch/\(data.request.name)"]
    }
  }

  private static func model(_ model: LoadedModel, _ remarks: inout [String]) -> [String] {
    var words = ["--model", model.variant.name]
    switch model.weights {
    case .scratch: break
    case .file(let url, _):
      let released = try? WeightLocator.find(model.variant)
      if released?.standardizedFileURL == url.standardizedFileURL {
        words.append("--pretrained")
      } else {
        remarks.append("train.py has no flag for weights of a file: \(url.path)")
      }
    case .run(let name, _):
      remarks.append("train.py cannot begin with the weights of run '\(name)'")
    }
    if model.classCount != model.variant.defaultClassCount {
      words += ["--num-classes", "\(model.classCount)"]
    }
    if let pooling = model.variant.pooling.ifNotMean {
      words += ["--global_pool", pooling.rawValue]
    }
    return words
  }
}
