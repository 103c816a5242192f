import DSL
import Model

/// C14 and C20: `expect` of a metric that no run has.
enum ExpectRule {
  /// What `expect` understands besides the columns themselves.
  static let shortNames = ["loss": "eval_loss", "top1": "eval_top1", "top5": "eval_top5"]

  static let rule = CheckRule.each { invocation in
    guard invocation.name == "expect", let metric = invocation.string("metric") else { return [] }
    let name = metric.replacing("-", with: "_")
    guard shortNames[name] == nil, !MetricsRow.columns.contains(name) else { return [] }
    let names = shortNames.keys.sorted() + MetricsRow.columns
    return [
      Diagnostic(
        rule: .unknownMetric, message: "unknown metric '\(metric)'",
        at: invocation.range(of: "metric"),
        hint: Suggestion.didYouMean(metric, among: names)
          ?? "one of loss, top1, top5, train_loss, lr, epoch")
    ]
  }
}
