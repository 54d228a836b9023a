internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Mustache
internal import NIOCore

/// A page for people, from a template in the assets. All begin alike (`web/page-head.html`); what a page has of its own
/// up there, it puts into that template's blocks.
///
/// Texts go in by `HTMLText.escaped`, so templates show them with three braces.
struct HTMLPage {
    private static let head = "page-head"

    private let library: MustacheLibrary
    private let template: MustacheTemplate

    /// - Parameter name: of `web/NAME.html`.
    /// - Throws: what is wrong with the template.
    init(_ name: String) throws {
        library = MustacheLibrary(templates: [Self.head: try Self.template(Self.head)])
        template = try Self.template(name)
    }

    private static func template(_ name: String) throws -> MustacheTemplate {
        try MustacheTemplate(string: String(decoding: Assets.data("web/\(name).html") ?? Data(), as: UTF8.self))
    }

    /// The page as text.
    ///
    /// - Parameter values: as the template shows them; not escaped here.
    func text(_ values: [String: any Sendable]) -> String { template.render(values, library: library) }

    /// The page as a reply that nothing keeps, with its form as that was left.
    func response(_ state: FormState, title: String, visitor: PageVisitor, flags: [String: Bool] = [:]) -> Response {
        response(
            title: state.title(title), visitor: visitor, texts: state.texts, flags: flags, status: state.status,
            headers: state.headers)
    }

    /// The page as a reply that nothing keeps.
    ///
    /// - Parameters:
    ///   - visitor: nil where it is not looked at who that is; the frame then leads to what suits everybody.
    ///   - texts: as they are; escaped here.
    ///   - lists: parts that show once for each of their members, whose texts are escaped as well.
    ///   - flags: which parts show.
    func response(
        title: String, visitor: PageVisitor? = nil, texts: [String: String] = [:],
        lists: [String: [[String: String]]] = [:], flags: [String: Bool] = [:],
        status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) -> Response {
        var values: [String: any Sendable] = flags
        for (name, text) in texts { values[name] = HTMLText.escaped(text) }
        for (name, members) in lists { values[name] = members.map { $0.mapValues(HTMLText.escaped) } }
        values["title"] = HTMLText.escaped(title)
        values["anonymous"] = visitor.map { !$0.isSignedIn } ?? false
        if let csrf = visitor?.csrf { values["csrf"] = HTMLText.escaped(csrf) }
        var headers = headers
        headers[.contentType] = "text/html; charset=utf-8"
        headers[.cacheControl] = "no-store"
        return Response(
            status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text(values))))
    }
}
