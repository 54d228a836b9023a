internal import Store

/// Writes who described careers, as their licences ask.
enum AttributionWriter {
    static func write(_ sources: [CareerSource], to json: inout JSONWriter) {
        json.array { json in
            // The product's own careers need no mention.
            for source in sources where source.attribution != nil || source.licence != nil {
                json.object { json in
                    json.field("source", source.name)
                    json.field("title", source.title)
                    json.field("attribution", source.attribution)
                    json.field("licence", source.licence)
                    json.field("url", source.url)
                }
            }
        }
    }
}
