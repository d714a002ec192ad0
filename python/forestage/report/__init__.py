"""A report on one preset, or on one against another: a single HTML file that needs nothing else."""

from .page import report_html, write_report

__all__ = ["report_html", "write_report"]
