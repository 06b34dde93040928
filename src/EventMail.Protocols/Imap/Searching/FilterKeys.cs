using System.Text;
using EventMail.Domain.Messages;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>FILTER (RFC 5466 §3.1): what was saved under a name, as one key.</summary>
internal ref partial struct SearchParser
{
    private readonly Reply? FilterRefusal =>
        _badFilterCharset ? Reply.Bad("Filters are in UTF-8", BadCharset)
        : _undefinedFilter is null ? null : Reply.No("No such filter, or it is no search", $"UNDEFINED-FILTER {_undefinedFilter}");

    // "FILTER" SP filter-name; filter-name = 1*<any ATOM-CHAR except "/">
    private bool ExpectFilter(out SearchKey key)
    {
        key = null!;
        if (!_parser.ExpectSp() || !_parser.ExpectAtom(out var name))
            return false;
        // §3.1: "such command MUST result in the tagged BAD response … [with] the BADCHARSET response code".
        if (_otherCharset)
        {
            _badFilterCharset = true;
            return _parser.Fail("Filters are in UTF-8");
        }

        // §3.1: a loop, or too many within each other, is no filter.
        if (name.Contains((byte)'/') || filters.Find(name) is not { } value || _filterDepth >= session.Limits.MaxFilterDepth)
            return Undefined(name);
        var outer = _parser;
        var charset = _charset;
        (_charset, _filterDepth) = (Charsets.Utf8OrLatin1, _filterDepth + 1);
        _parser = new CommandParser(value);
        var understood = ExpectKeys(out key) && _parser.ExpectEnd();
        _parser = outer;
        (_charset, _filterDepth) = (charset, _filterDepth - 1);
        return understood || Undefined(name);
    }

    // The innermost one that is wrong.
    private bool Undefined(scoped ReadOnlySpan<byte> name)
    {
        _undefinedFilter ??= Encoding.ASCII.GetString(name);
        return _parser.Fail("No such filter");
    }
}
