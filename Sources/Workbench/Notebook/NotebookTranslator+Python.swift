import DSL
import Foundation

/// What the Python of a notebook gave names: networks, transforms, pictures.
struct PythonNames {
  /// The `load` line behind each name of a network.
  var networks: [String: String] = [:]
  /// The names of transforms and their configurations.
  var transforms: Set<String> = []
  /// The picture that was opened last.
  var picture: String?
  /// The name of the network that the session holds; nil when none of these is loaded.
  var loaded: String?
}

extension NotebookTranslator {
  /// Translates plain Python, statement by statement.
  mutating func translatePython(_ source: String) {
    let isInference = source.contains("topk(") || source.contains("forward_features(")
    var kept: [PythonLines.Statement] = []
    for statement in PythonLines.statements(of: source) {
      // What is indented under a kept statement belongs to it.
      let isWithin = kept.first.map { statement.indent > $0.indent } ?? false
      var next = self
      next.keep(kept)
      if !isWithin, next.take(statement, isInference: isInference) {
        self = next
        kept = []
      } else {
        kept.append(statement)
      }
    }
    keep(kept)
  }

  private mutating func keep(_ statements: [PythonLines.Statement]) {
    guard let first = statements.first else { return }
    let text = statements.map(\.text).joined(separator: "\n")
    keep(text, line: first.line, "Python that no command stands for")
  }

  /// Takes over a statement; false if it says nothing to us.
  private mutating func take(_ statement: PythonLines.Statement, isInference: Bool) -> Bool {
    let text = statement.text.trimmingCharacters(in: .whitespacesAndNewlines)
    if text.hasPrefix("#") {
      say(text.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces))
      return true
    }
    return magic(text, statement) || network(text, statement.line) || transform(text)
      || picture(text, statement.line) || facts(text) || constant(text)
      || isIdle(text, isInference: isInference)
  }

  // MARK: Magics

  private mutating func magic(_ text: String, _ statement: PythonLines.Statement) -> Bool {
    if text.hasPrefix("!") {
      shell(String(text.dropFirst()), line: statement.line, all: statement.text)
      return true
    }
    if let call = text.firstMatch(
      of: #/^(?:os\.system|get_ipython\(\)\.system)\(\s*f?(['"])(.*)\1/#)
    {
      shell(String(call.2), line: statement.line, all: statement.text)
      return true
    }
    var line = text
    if let call = text.firstMatch(
      of: #/^get_ipython\(\)\.run_line_magic\(\s*['"](\w+)['"]\s*,\s*f?(['"])(.*)\2/#)
    {
      line = "%\(call.1) \(call.3)"
    }
    guard line.hasPrefix("%") else { return false }
    let name = line.dropFirst().prefix { $0.isLetter || $0 == "_" }
    switch name {
    case "run", "time", "timeit":
      let rest = line.dropFirst(1 + name.count)
      guard name == "run" || rest.contains("train.py") else { return false }
      shell(String(rest).replacing("%run", with: ""), line: statement.line, all: statement.text)
      return true
    case "pip", "conda", "mamba":
      say("nothing needs to be installed: \(line.dropFirst())")
      return true
    case "matplotlib", "load_ext", "reload_ext", "autoreload", "config", "pylab": return true
    default: return false
    }
  }

  // MARK: Networks

  private mutating func network(_ text: String, _ line: Int) -> Bool {
    if let list = text.firstMatch(of: #/list_models\(\s*(?:['"]([^'"]*)['"])?/#) {
      command("models" + (list.1.map { " \(CanonicalText.value(String($0)))" } ?? ""))
      return true
    }
    guard
      let call = text.firstMatch(
        of: #/^(?:(\w+)\s*=\s*)?(?:timm\.)?create_model\(\s*(?:model_name\s*=\s*)?(.*)$/#
          .dotMatchesNewlines()),
      !text.contains("features_only"), let name = self.text(of: call.2)
    else { return false }
    var words = ["load", name]
    if text.contains(#/pretrained\s*=\s*True/#) { words.append("pretrained") }
    if let file = text.firstMatch(of: #/checkpoint_path\s*=\s*['"]([^'"]+)['"]/#) {
      words.append("weights=\(CanonicalText.value(String(file.1)))")
    }
    if let classes = text.firstMatch(of: #/num_classes\s*=\s*(\d+)/#), classes.1 != "0" {
      words.append("classes=\(classes.1)")
    } else if hasData {
      words.append("head=keep")
    }
    let load = words.joined(separator: " ")
    guard TrainPyCall(["--model", name]).isModelKnown else {
      keep(
        text, line: line, "the network '\(name)' is not known here; 'models' lists those that are")
      return true
    }
    let variable = call.1.map(String.init) ?? ""
    python.networks[variable] = load
    command(load, line: line)
    python.loaded = variable
    return true
  }

  /// Loads the network of a name again, if another one is loaded.
  private mutating func use(_ name: String?) {
    guard let name, let load = python.networks[name], python.loaded != name else { return }
    command(load)
    python.loaded = name
  }

  /// The network that a statement mentions.
  private func mentioned(_ text: String) -> String? {
    let words = Set(text.split { !($0.isLetter || $0.isNumber || $0 == "_") })
    return python.networks.keys.sorted { $0.count > $1.count }
      .first { words.contains($0[...]) }
  }

  /// What is printed about a network.
  private mutating func facts(_ text: String) -> Bool {
    let name = mentioned(text)
    guard name != nil || python.networks[""] != nil else { return false }
    if let name, text == name || text == "print(\(name))" {
      use(name)
      command("info layers")
      return true
    }
    let shows = text.hasPrefix("print(") || !text.contains(#/^\w+\s*=[^=]/#)
    let asks = (params: text.contains("numel()"), classifier: text.contains("classifier"))
    guard asks.params || asks.classifier else { return false }
    // A number that is only kept is printed later, or nobody sees it.
    guard shows || asks.params else { return true }
    use(name)
    if asks.params { command("info params") }
    if asks.classifier { command("info classifier") }
    return true
  }

  private mutating func transform(_ text: String) -> Bool {
    if text.contains("create_transform(") || text.contains("resolve_data_config(") {
      if let name = text.firstMatch(of: #/^(\w+)\s*=/#) {
        python.transforms.insert(String(name.1))
      } else {
        command("info transform")
      }
      return true
    }
    guard python.transforms.contains(where: { text == $0 || text == "print(\($0))" }) else {
      return false
    }
    command("info transform")
    return true
  }

  // MARK: Pictures

  private mutating func picture(_ text: String, _ line: Int) -> Bool {
    if let call = text.firstMatch(of: #/Image\.open\(([^)]*)\)/#) {
      python.picture = self.text(of: call.1)
      return python.picture != nil
    }
    if let call = text.firstMatch(of: #/urlretrieve\(\s*([^,)]+),\s*([^,)]+)\)/#) {
      guard let address = self.text(of: call.1), let file = self.text(of: call.2) else {
        return false
      }
      if !file.hasSuffix(".txt") { say("fetch the picture first: curl -L -o \(file) \(address)") }
      return true
    }
    guard let picture = python.picture else { return false }
    if let call = text.firstMatch(of: #/topk\([^,]+,\s*(?:k\s*=\s*)?(\d+)/#) {
      use(mentioned(text))
      command("predict \(CanonicalText.value(picture)) top=\(call.1)", line: line)
      return true
    }
    if text.contains("forward_features(") {
      use(mentioned(text))
      command("features \(CanonicalText.value(picture)) > features.png", line: line)
      return true
    }
    return false
  }

  // MARK: The rest

  private mutating func constant(_ text: String) -> Bool {
    if let pair = text.wholeMatch(
      of: #/(\w+),\s*(\w+)\s*=\s*\(?\s*['"]([^'"]*)['"],\s*['"]([^'"]*)['"]\s*\)?/#)
    {
      remember(String(pair.1), String(pair.3))
      remember(String(pair.2), String(pair.4))
      return true
    }
    if let single = text.wholeMatch(
      of: #/(\w+)\s*=\s*(?:['"]([^'"]*)['"]|([-+.\deE]+))\s*(?:#.*)?/#)
    {
      remember(String(single.1), String(single.2 ?? single.3 ?? ""))
      return true
    }
    if let seed = text.firstMatch(of: #/manual_seed\(\s*(\d+)\s*\)/#) {
      command("seed \(seed.1)")
      return true
    }
    if text.hasPrefix("plot_figures(") {
      figures()
      return true
    }
    return false
  }

  /// Whether a statement does what needs no command, or serves one that was taken over.
  private func isIdle(_ text: String, isInference: Bool) -> Bool {
    let always = [
      "import ", "from ", "with torch.no_grad", "with torch.inference_mode", "pass", "plt.",
      "np.random.seed(", "random.seed(", "warnings.", "device =", "device=", "\"\"\"", "'''",
      "torch.backends.", "print()",
    ]
    if always.contains(where: text.hasPrefix) { return true }
    if text.contains(#/^\w+(?:\s*=\s*\w+)?\.(?:eval|train|cuda|cpu|to)\([^()]*\)$/#) { return true }
    guard isInference else { return false }
    let serving = [
      "softmax", "unsqueeze", "convert(", "readlines", "open(", "categories", "topk", "top5",
      "detach", "imshow", "squeeze", ".shape", ".sum(", "transpose", "features", "tensor",
    ]
    return serving.contains(where: text.contains)
      || python.networks.keys.contains { !$0.isEmpty && text.contains("\($0)(") }
  }
}
