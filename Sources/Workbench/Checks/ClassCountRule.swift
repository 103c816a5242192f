import DSL
import Model

/// C5: a classifier whose outputs are not the classes of the data, where both are known.
enum ClassCountRule {
  static let rule = CheckRule { script in
    var found: [Diagnostic] = []
    for step in script.steps where step.invocation.name == "train" {
      guard
        let load = script.last(before: step, where: { ["load", "checkpoint"].contains($0.name) }),
        let data = script.last(
          before: step, where: { $0.name == "data" && $0.string("name") != "verify" }),
        load.invocation.name == "load",
        let classes = classes(of: data.invocation),
        let outputs = outputs(of: load.invocation)
      else { continue }
      let name = data.invocation.string("name") ?? ""
      let keeps = load.invocation.string("head") == "keep"
      guard keeps ? outputs < classes : outputs != classes else { continue }
      let argument = keeps ? "head" : "classes"
      found.append(
        Diagnostic(
          rule: .classCount,
          message: "the classifier has \(outputs) outputs, but \(name) has \(classes) classes",
          at: load.invocation.range(of: argument), hint: "classes=auto takes those of the data",
          notes: [.init("they meet here", at: step.range)]))
    }
    return found
  }

  /// The classes of a data set that is always the same; nil for folders.
  private static func classes(of data: Invocation) -> Int? {
    switch data.string("name") {
    case "digits", "cifar10", "mnist", "fashion_mnist", "kmnist", "qmnist": 10
    case "cifar100": 100
    default: nil
    }
  }

  /// The outputs that `load` says; nil where they follow the data or a file.
  private static func outputs(of load: Invocation) -> Int? {
    if let count = load.integer("classes") { return count }
    guard load.string("head") == "keep", !load.isGiven("weights") else { return nil }
    return load.string("model").flatMap { try? Variant.named($0) }?.defaultClassCount
  }
}
