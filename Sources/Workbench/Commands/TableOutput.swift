import DSL

extension WorkbenchState {
  /// Puts a command's table where its invocation wants it: into the file behind `>`, whose ending
  /// decides between JSON and CSV, or onto standard output in the form of `--json` or `--csv`.
  func show(_ table: Table, as invocation: Invocation) throws {
    guard let path = invocation.outputPath else {
      console.print(table, json: invocation.has("json"), csv: invocation.has("csv"))
      return
    }
    let target = places.output(path)
    try FileWriting.write(path.hasSuffix(".json") ? table.json : table.csv, to: target)
    console.note("wrote \(places.display(target))")
  }
}
