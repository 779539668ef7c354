"""``python -m generators.mcp_view``: write the view of an offer for MCP Apps."""

from generators.mcp_view import main

if __name__ == "__main__":
    main()
