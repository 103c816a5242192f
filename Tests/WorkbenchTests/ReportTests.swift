import Foundation
import Testing

@testable import Workbench

struct ReportTests {
  static let runs = Table(
    [
      .init("run"), .init("top-1", key: "top1", .right), .init("time", key: "seconds", .right),
      .init("note"),
    ],
    rows: [
      [
        .init("s-c10"), .init(97.841, decimals: 2, mark: "*"), .init(seconds: 1231),
        .init("a, \"b\""),
      ],
      [.init("größe"), .init(9.5, decimals: 2), .init(seconds: nil)],
      [.init("日本"), .blank, .init(seconds: 64800), .init("x")],
    ])

  @Test func tableForPeople() {
    #expect(
      Self.runs.text() == """
        run    top-1     time  note
        s-c10  97.84*  20m31s  a, "b"
        größe   9.50
        日本              18h  x

        """)
  }

  @Test func tableForPrograms() throws {
    #expect(
      Self.runs.csv == """
        run,top1,seconds,note
        s-c10,97.841,1231,"a, ""b\"""
        größe,9.5,,
        日本,,64800,x

        """)
    #expect(
      Self.runs.jsonLines.split(separator: "\n").first
        == #"{"note":"a, \"b\"","run":"s-c10","seconds":1231,"top1":97.841}"#)
    let parsed = try JSONSerialization.jsonObject(with: Data(Self.runs.json.utf8))
    #expect((parsed as? [[String: Any]])?.count == 3)
    #expect(Table([.init("a")]).json == "[]\n")
  }

  @Test func tableCutToTheWindow() {
    let table = Table([.init("a"), .init("b")], rows: [[.init("short"), .init("a long remark")]])
    #expect(table.text(width: 16) == "a      b\nshort  a long r…\n")
  }

  @Test func rowsPrintedOneByOneStandUnderTheirHeading() {
    let table = Table([
      .init("epoch", .right, minimumWidth: 6), .init("top1", .right, minimumWidth: 6, markWidth: 1),
      .init("time", .right, minimumWidth: 7),
    ])
    let rows: [[Table.Cell]] = [
      [.init("7/60"), .init(79.84, decimals: 2, mark: "*"), .init(seconds: 1231)],
      [.init("8/60"), .init(79.5, decimals: 2), .init(seconds: 59)],
    ]
    let lines = [table.headerLine()] + rows.map { table.line($0) }
    #expect(
      lines == [
        " epoch    top1      time", "  7/60   79.84*   20m31s", "  8/60   79.50       59s",
      ])
  }

  @Test func colorFollowsTheRules() {
    let xterm = ["TERM": "xterm-256color"]
    #expect(Style(isTerminal: true, environment: xterm).isColored)
    #expect(!Style(isTerminal: false, environment: xterm).isColored)
    #expect(!Style(isTerminal: true, environment: ["TERM": "dumb"]).isColored)
    #expect(!Style(isTerminal: true, environment: [:]).isColored)
    #expect(!Style(isTerminal: true, environment: ["TERM": "xterm", "NO_COLOR": "1"]).isColored)
    #expect(Style(isTerminal: true, environment: ["TERM": "xterm", "NO_COLOR": ""]).isColored)
    #expect(Style(choice: .always, isTerminal: false, environment: ["NO_COLOR": "1"]).isColored)
    #expect(!Style(choice: .never, isTerminal: true, environment: xterm).isColored)
    #expect(Style.plain("x", .error) == "x")
    #expect(Style(isColored: true)("x", .error) == "\u{1B}[1;31mx\u{1B}[0m")
    #expect(Style(isColored: true)("größe", .error).displayWidth == 5)
  }

  @Test(arguments: [
    (0.34, "340ms"), (4.2, "4.2s"), (0.9999, "1.0s"), (9.97, "10s"), (42, "42s"), (59.6, "1m00s"),
    (1231, "20m31s"), (18720, "5h12m"), (64800, "18h"), (360_000, "4d4h"), (-1, "-"), (.nan, "-"),
  ])
  func durations(seconds: Double, text: String) {
    #expect(NumberText.duration(seconds) == text)
  }

  @Test func numbers() {
    #expect(NumberText.count(23_941_296) == "23,941,296")
    #expect(NumberText.count(-1000) == "-1,000")
    #expect(NumberText.count(999) == "999")
    #expect(NumberText.compact(23_941_296) == "23.9M")
    #expect(NumberText.compact(999_600) == "1.00M")
    #expect(NumberText.compact(853) == "853")
    #expect(NumberText.bytes(512) == "512 B")
    #expect(NumberText.bytes(98_765_432) == "94.2 MiB")
    #expect(NumberText.significant(0.81234) == "0.8123")
    #expect(NumberText.significant(1.2e-5, 2) == "1.2e-05")
    #expect(NumberText.fixed(.nan, 2) == "nan")
    #expect(NumberText.percent(0.7984) == "79.84 %")
  }

  @Test func valuesAsJSON() throws {
    let value = ReportValue.record([
      "z": .real(.nan), "a": .list([1, 2.5, true, "q\"\n\u{01}", .missing]), "b": .real(1e-7),
    ])
    #expect(value.json == #"{"a":[1,2.5,true,"q\"\n\u0001",null],"b":1e-07,"z":null}"#)
    _ = try JSONSerialization.jsonObject(with: Data(value.json.utf8))
    #expect(ReportValue.shortest(0.1 + 0.2) == "0.30000000000000004")
    #expect(ReportValue.shortest(3) == "3")
  }
}
