import Testing

@testable import Model

/// What `freeze` means: which tensors, how many are left, and what is refused.
struct FreezeRuleTests {
  private static func table(_ model: String) throws -> ParameterTable {
    try Blueprint(Variant.named(model), classCount: 10).parameters
  }

  /// The paths that a rule freezes.
  private static func frozen(_ rule: String, _ table: ParameterTable) throws -> [String] {
    try FreezeRule(rule, fixesNorms: false).frozen(in: table).sorted().map {
      table.entries[$0].path
    }
  }

  private static func weights(
    _ table: ParameterTable, where belongs: (String) -> Bool
  ) -> [String] {
    table.entries.filter { $0.storage == .weights }.map(\.path).filter(belongs)
  }

  @Test func patternsMeanPathsAndWhatIsBelow() throws {
    let table = try Self.table("tf_efficientnetv2_b0")
    func expect(_ rule: String, _ belongs: (String) -> Bool) throws {
      let expected = Self.weights(table, where: belongs)
      #expect(!expected.isEmpty)
      #expect(try Self.frozen(rule, table) == expected, "\(rule)")
    }
    try expect("stem") { $0.hasPrefix("conv_stem.") || $0.hasPrefix("bn1.") }
    try expect("backbone") { !$0.hasPrefix("classifier.") }
    try expect("blocks.1") { $0.hasPrefix("blocks.1.") }
    try expect("blocks.1.0.bn1") { $0.hasPrefix("blocks.1.0.bn1.") }
    try expect("blocks.0..2") { path in (0...2).contains { path.hasPrefix("blocks.\($0).") } }
    try expect("*.se") { $0.contains(".se.") }
    try expect("blocks.*.bn2.weight") { $0.hasPrefix("blocks.") && $0.hasSuffix(".bn2.weight") }
    try expect("conv_head,classifier.bias") {
      $0.hasPrefix("conv_head.") || $0 == "classifier.bias"
    }
    #expect(try Self.frozen("none", table).isEmpty)
  }

  @Test func aTransformerHasTheSameForms() throws {
    let table = try Self.table("vit_tiny_patch16_224")
    let stem = Self.weights(table) {
      $0.hasPrefix("patch_embed.") || $0 == "cls_token" || $0 == "pos_embed"
    }
    #expect(try Self.frozen("stem", table) == stem)
    #expect(try Self.frozen("blocks.1", table).allSatisfy { $0.hasPrefix("blocks.1.") })
    #expect(try Self.frozen("blocks.0..11", table).count == 12 * 12)
    #expect(!(try Self.frozen("backbone", table)).contains("head.weight"))
  }

  @Test func whatTrainsIsCounted() throws {
    let table = try Self.table("tf_efficientnetv2_b0")
    func count(_ rule: String) throws -> Int {
      try Freezing(FreezeRule(rule, fixesNorms: true), table).trainedCount(in: table)
    }
    #expect(try count("none") == table.parameterCount)
    #expect(try count("backbone") == 1280 * 10 + 10)
    let stem = try #require(table["conv_stem.weight"]).count + 2 * 32
    #expect(try count("stem") == table.parameterCount - stem)
  }

  /// Ranges cover each element of the flat buffer once, and what is frozen lies in no group.
  @Test(arguments: ["none", "backbone", "stem,blocks.3", "*.se", "*.weight", "blocks.*.bn1.bias"])
  func updatesCoverWhatTrains(rule: String) throws {
    let table = try Self.table("tf_efficientnetv2_b0")
    let freezing = try Freezing(FreezeRule(rule, fixesNorms: false), table)
    let frozen = Set(try Self.frozen(rule, table))
    let groups = UpdateGroup.all(of: table, freezing)
    var isTrained = [Bool](repeating: false, count: table.weightExtent)
    for group in groups {
      #expect(!isTrained[group.range].contains(true))
      for index in group.range { isTrained[index] = true }
    }
    for info in table.entries where info.storage == .weights {
      let trains = !frozen.contains(info.path)
      #expect(info.range.allSatisfy { isTrained[$0] == trains }, "\(info.path)")
      #expect(
        !trains
          || groups.contains { $0.range.contains(info.offset) && $0.decays == info.decays })
    }
    for range in freezing.frozenRanges { #expect(!isTrained[range].contains(true)) }
    #expect(
      freezing.frozenRanges.reduce(0) { $0 + $1.count } == isTrained.count { !$0 })
  }

  @Test func impossibleRulesAreRefused() throws {
    let table = try Self.table("tf_efficientnetv2_b0")
    func error(_ rule: String) -> HyperparameterError? {
      do throws(HyperparameterError) {
        _ = try Freezing(FreezeRule(rule, fixesNorms: false), table)
        return nil
      } catch {
        return error
      }
    }
    let unknown = try #require(error("stem,blocks.0.0.conv_x"))
    #expect(unknown.message == "freeze: 'blocks.0.0.conv_x' fits no tensor of the network")
    #expect(unknown.advice?.contains("'blocks.0.0.conv'") == true)
    // The end of a range is not searched to its absurd end.
    let range = try #require(error("blocks.0..9000000000000"))
    #expect(range.message == "freeze: 'blocks.6' fits no tensor of the network")
    for rule in ["blocks.3..1", "running_mean", "*.running_mean", "backbone.x", "head_conv*z"] {
      guard case .frozenNothing? = error(rule) else {
        Issue.record("\(rule) is \(String(describing: error(rule)))")
        continue
      }
    }
    for rule in ["*", "backbone,classifier", "stem,blocks,conv_head,bn2,classifier"] {
      #expect(error(rule) == .frozenEverything(rule))
      #expect(error(rule)?.message == "freeze=\(rule) leaves nothing to train")
    }
  }

  @Test func theKeyTakesListsOfPatterns() throws {
    var values = HyperparameterValues()
    for text in ["none", "backbone", "stem,blocks.0..3", "*.se,backbone"] {
      try values.set("freeze", to: .word(text))
      #expect(values["freeze"] == .word(text))
    }
    for text in ["", "stem,", "a b", "none,stem", "stem,,bn1"] {
      #expect(throws: HyperparameterError.self) { try values.set("freeze", to: .word(text)) }
    }
    #expect(throws: HyperparameterError.self) { try values.set("freeze", to: .integer(3)) }
  }
}
