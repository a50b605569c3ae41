"""Google's official Python client against fake Google, and everything that was said held against Google's documents.

Owns the work that the client does. Needs a running fake Google, whose address is in FAKE_GOOGLE_URL; the Rust test
`discovery` starts one.
"""

import http.server
import json
import os
import pathlib
import threading
import unittest
import urllib.error
import urllib.parse
import urllib.request

import httplib2
import google_auth_httplib2
from google.api_core.client_options import ClientOptions
from google.auth.exceptions import RefreshError
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

import discovery
import journal

BASE_URL = os.environ["FAKE_GOOGLE_URL"]
SCOPE = "https://www.googleapis.com/auth/"
ANA = "ana@example.com"
ROOT = pathlib.Path(__file__).resolve().parents[2]
CLIENT = {"client_id": "sheetwire-demo.apps.example", "client_secret": "demo-client-secret"}
CALLBACK = "http://localhost:8787/oauth/callback"


def control(path, body=None):
    """One call of fake Google's control."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{BASE_URL}/control/{path}", data, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


def access_token(*scopes, account=ANA):
    """An access token without any page."""
    return control("tokens", {"account": account, "scopes": list(scopes)})["accessToken"]


def service(api, version, credentials):
    """Google's client for an API, pointed at fake Google as its own documents say: `rootUrl` + `servicePath`."""
    document = discovery.document(f"{api}.{version}")
    options = ClientOptions(api_endpoint=f"{BASE_URL}/{document['servicePath'].strip('/')}".rstrip("/") + "/")
    return build(api, version, credentials=credentials, client_options=options, static_discovery=True)


def setUpModule():
    """Quotas are tested in Rust; here they would only be in the way."""
    many = {"readsPerProject": 100_000, "writesPerProject": 100_000, "readsPerUser": 100_000, "writesPerUser": 100_000}
    control("settings", {"quota": many})


class OfficialClient(unittest.TestCase):
    """Real work with the official client."""

    def setUp(self):
        credentials = Credentials(access_token(SCOPE + "spreadsheets", SCOPE + "drive.file", "openid", "email", "profile"))
        sheets = service("sheets", "v4", credentials)
        self.sheets = sheets.spreadsheets()
        self.drive = service("drive", "v3", credentials)
        self.oauth = service("oauth2", "v2", credentials)
        for opened in (sheets, self.drive, self.oauth):
            self.addCleanup(opened.close)

    def make(self):
        body = {
            "properties": {"title": "Tokens", "locale": "en_US"},
            "sheets": [
                {"properties": {"title": "My tokens", "gridProperties": {"rowCount": 50, "columnCount": 8, "frozenRowCount": 1}}},
                {"properties": {"title": "Other"}},
            ],
        }
        return self.sheets.create(body=body).execute()

    def test_reads_and_writes_a_spreadsheet(self):
        made = self.make()
        id_ = made["spreadsheetId"]
        self.assertEqual([s["properties"]["title"] for s in made["sheets"]], ["My tokens", "Other"])
        values = self.sheets.values()
        rows = [["name", "light", "dark"], ["blue", "#00f", "=B2"], ["half", "50%", None], ["date", "4/8", True]]
        written = values.update(
            spreadsheetId=id_, range="'My tokens'!A1", valueInputOption="USER_ENTERED", includeValuesInResponse=True,
            responseValueRenderOption="UNFORMATTED_VALUE", body={"values": rows},
        ).execute()
        self.assertEqual(written["updatedCells"], 11)
        self.assertEqual(written["updatedData"]["values"][2], ["half", 0.5])
        read = values.batchGet(spreadsheetId=id_, ranges=["'My tokens'!A1:C", "Other!A1:B2"]).execute()
        self.assertEqual(read["valueRanges"][0]["values"][1:], [["blue", "#00f", "#00f"], ["half", "50%"], ["date", "4/8", "TRUE"]])
        self.assertNotIn("values", read["valueRanges"][1])
        values.batchUpdate(spreadsheetId=id_, body={
            "valueInputOption": "RAW", "includeValuesInResponse": True,
            "data": [{"range": "Other!A1:B2", "values": [["x", 1.5], ["", False]]}],
        }).execute()
        appended = values.append(
            spreadsheetId=id_, range="'My tokens'!A1:C1", valueInputOption="RAW", insertDataOption="INSERT_ROWS",
            includeValuesInResponse=True, body={"values": [["4/8", "007"]]},
        ).execute()
        self.assertEqual(appended["updates"]["updatedRange"], "'My tokens'!A5:B5")
        self.assertEqual(values.get(spreadsheetId=id_, range="'My tokens'!A5:B5").execute()["values"], [["4/8", "007"]])
        values.clear(spreadsheetId=id_, range="Other!A1", body={}).execute()
        values.batchClear(spreadsheetId=id_, body={"ranges": ["Other!B1", "Other!B2"]}).execute()
        self.assertNotIn("values", values.get(spreadsheetId=id_, range="Other!A1:Z9", majorDimension="COLUMNS").execute())

    def test_reads_cells_through_masks(self):
        id_ = self.make()["spreadsheetId"]
        self.sheets.values().update(
            spreadsheetId=id_, range="A1", valueInputOption="USER_ENTERED",
            body={"values": [["50%", "4/8", "10:30", "$5", "1,234", "1e5", "=1/0", "=IMPORTRANGE(\"a\",\"b\")"], [True, "", "text"]]},
        ).execute()
        whole = self.sheets.get(spreadsheetId=id_, includeGridData=True).execute()
        row = whole["sheets"][0]["data"][0]["rowData"][0]["values"]
        kinds = [cell["effectiveFormat"].get("numberFormat", {}).get("type") for cell in row]
        self.assertEqual(kinds, ["PERCENT", "DATE", "TIME", "CURRENCY", "NUMBER", "SCIENTIFIC", None, None])
        self.assertEqual(row[6]["effectiveValue"]["errorValue"]["type"], "DIVIDE_BY_ZERO")
        self.assertEqual(row[7]["effectiveValue"]["errorValue"]["type"], "LOADING")
        self.assertEqual([cell["formattedValue"] for cell in row[:6]], ["50%", "4/8", "10:30", "$5", "1,234", "1.00E+05"])
        for mask in [
            "*",
            "spreadsheetId,properties(title,locale,timeZone)",
            "sheets(properties(sheetId,title,index,gridProperties),merges)",
            "sheets/data/rowData/values/formattedValue",
            "sheets(data(startRow,startColumn,rowData(values(userEnteredValue,effectiveFormat(numberFormat,textFormat/bold)))))",
            "sheets.data.columnMetadata.pixelSize",
        ]:
            self.sheets.get(spreadsheetId=id_, ranges=["'My tokens'!A1:C2", "Other"], fields=mask).execute()
        with self.assertRaises(HttpError) as raised:
            self.sheets.get(spreadsheetId=id_, fields="sheets.propertys").execute()
        self.assertEqual(raised.exception.status_code, 400)

    def test_changes_the_structure(self):
        id_ = self.make()["spreadsheetId"]
        sheet_id = self.sheets.get(spreadsheetId=id_).execute()["sheets"][1]["properties"]["sheetId"]
        whole = {"sheetId": sheet_id, "startRowIndex": 0, "endRowIndex": 2, "startColumnIndex": 0, "endColumnIndex": 2}
        text = {"userEnteredFormat": {"numberFormat": {"type": "TEXT"}}}
        reply = self.sheets.batchUpdate(spreadsheetId=id_, body={"includeSpreadsheetInResponse": True, "responseIncludeGridData": True, "requests": [
            {"addSheet": {"properties": {"title": "Third"}}},
            {"repeatCell": {"range": whole, "cell": text, "fields": "userEnteredFormat.numberFormat"}},
            {"updateCells": {"range": whole, "fields": "userEnteredValue", "rows": [{"values": [{"userEnteredValue": {"numberValue": 1}}, {"userEnteredValue": {"boolValue": True}}]}]}},
            {"insertDimension": {"range": {"sheetId": sheet_id, "dimension": "COLUMNS", "startIndex": 0, "endIndex": 1}, "inheritFromBefore": False}},
            {"deleteDimension": {"range": {"sheetId": sheet_id, "dimension": "ROWS", "startIndex": 5, "endIndex": 9}}},
            {"appendDimension": {"sheetId": sheet_id, "dimension": "ROWS", "length": 3}},
            {"mergeCells": {"range": whole, "mergeType": "MERGE_ROWS"}},
            {"unmergeCells": {"range": whole}},
            {"updateSheetProperties": {"properties": {"sheetId": sheet_id, "title": "Second", "hidden": True, "index": 0}, "fields": "title,hidden,index"}},
            {"updateSpreadsheetProperties": {"properties": {"title": "Renamed", "locale": "de_DE"}, "fields": "title,locale"}},
        ]}).execute()
        self.assertEqual(reply["updatedSpreadsheet"]["properties"]["locale"], "de_DE")
        self.assertEqual(reply["updatedSpreadsheet"]["sheets"][0]["properties"]["title"], "Second")
        self.sheets.batchUpdate(spreadsheetId=id_, body={"requests": [{"deleteSheet": {"sheetId": sheet_id}}]}).execute()

    def test_protects_ranges_and_reads_by_data_filter(self):
        id_ = self.make()["spreadsheetId"]
        sheet_id = self.sheets.get(spreadsheetId=id_).execute()["sheets"][0]["properties"]["sheetId"]
        ranges = [{"sheetId": sheet_id, "startRowIndex": 1, "endRowIndex": 3, "startColumnIndex": 1}, {"sheetId": sheet_id, "startRowIndex": 2, "endRowIndex": 3}]
        reply = self.sheets.batchUpdate(spreadsheetId=id_, body={"requests": [
            {"addProtectedRange": {"protectedRange": {"range": ranges[0], "unprotectedRanges": [ranges[1]], "description": "ours", "editors": {"users": [ANA]}}}},
            {"addProtectedRange": {"protectedRange": {"range": {"sheetId": sheet_id}, "warningOnly": True}}},
            {"updateCells": {"start": {"sheetId": sheet_id, "rowIndex": 1, "columnIndex": 1}, "fields": "userEnteredValue",
                             "rows": [{"values": [{"userEnteredValue": {"stringValue": "=B2"}}]}, {"values": [{}]}]}},
        ]}).execute()
        protected = reply["replies"][0]["addProtectedRange"]["protectedRange"]
        self.assertTrue(protected["requestingUserCanEdit"])
        body = {"dataFilters": [{"gridRange": {**ranges[1], "startRowIndex": 1, "endRowIndex": 2}}, {"a1Range": "Other!A1:B2"}], "includeGridData": True}
        read = self.sheets.getByDataFilter(spreadsheetId=id_, body=body).execute()
        self.assertEqual(read["sheets"][0]["data"][0]["rowData"][0]["values"][1]["userEnteredValue"], {"stringValue": "=B2"})
        self.assertEqual(len(read["sheets"][0]["protectedRanges"]), 2)
        mask = "sheets(properties(sheetId,gridProperties),protectedRanges(range,unprotectedRanges,warningOnly,requestingUserCanEdit),data(startRow,rowData(values(formattedValue))))"
        masked = self.sheets.getByDataFilter(spreadsheetId=id_, body={"dataFilters": body["dataFilters"][:1]}, fields=mask).execute()
        self.assertEqual(masked["sheets"][0]["protectedRanges"][0]["unprotectedRanges"], [ranges[1]])
        self.sheets.batchUpdate(spreadsheetId=id_, body={"requests": [{"deleteProtectedRange": {"protectedRangeId": protected["protectedRangeId"]}}]}).execute()
        beyond = {"dataFilters": [{"gridRange": {"sheetId": sheet_id, "startRowIndex": 50, "endRowIndex": 51}}]}
        with self.assertRaises(HttpError) as raised:
            self.sheets.getByDataFilter(spreadsheetId=id_, body=beyond).execute()
        self.assertEqual(raised.exception.status_code, 400)

    def test_lists_watches_and_stops(self):
        id_ = self.make()["spreadsheetId"]
        query = "mimeType='application/vnd.google-apps.spreadsheet' and trashed=false and name contains 'tok' and 'me' in owners"
        files = self.drive.files()
        found, request = [], files.list(q=query, orderBy="modifiedTime desc", pageSize=1, fields="nextPageToken,files(id,name,version,modifiedTime,owners(emailAddress))")
        while request is not None:
            reply = request.execute()
            found += [file["id"] for file in reply["files"]]
            request = files.list_next(request, reply)
        self.assertIn(id_, found)
        files.list().execute()
        before = int(files.get(fileId=id_, fields="*").execute()["version"])
        files.get(fileId=id_).execute()
        self.drive.about().get(fields="user").execute()
        with Receiver() as receiver:
            body = {"id": f"channel-{id_[:20]}", "type": "web_hook", "address": receiver.address, "token": "secret", "expiration": "99999999999999"}
            channel = files.watch(fileId=id_, body=body).execute()
            self.assertEqual(receiver.next()["X-Goog-Resource-State"], "sync")
            self.sheets.values().update(spreadsheetId=id_, range="A1", valueInputOption="RAW", body={"values": [["x"]]}).execute()
            notice = receiver.next()
            self.assertEqual((notice["X-Goog-Resource-State"], notice["X-Goog-Channel-Token"]), ("update", "secret"))
            self.drive.channels().stop(body={"id": channel["id"], "resourceId": channel["resourceId"]}).execute()
        self.assertGreater(int(files.get(fileId=id_, fields="version").execute()["version"]), before)

    def test_tells_who_signed_in(self):
        self.assertEqual(self.oauth.userinfo().get().execute()["email"], ANA)
        info = self.oauth.tokeninfo(access_token=access_token("email")).execute()
        self.assertEqual(info["email"], ANA)

    def test_gives_the_errors_that_the_client_knows(self):
        for call, status in [
            (self.sheets.get(spreadsheetId="unknown"), 404),
            (self.drive.files().get(fileId="unknown"), 404),
            (self.drive.files().list(q="colour = 'red'"), 400),
            (self.drive.about().get(), 400),
        ]:
            with self.assertRaises(HttpError) as raised:
                call.execute()
            self.assertEqual(raised.exception.status_code, status)

    def test_refreshes_by_itself(self):
        refresh_token = sign_in(SCOPE + "spreadsheets")["refresh_token"]
        credentials = Credentials(None, refresh_token=refresh_token, token_uri=f"{BASE_URL}/token", **CLIENT)
        with service("sheets", "v4", credentials) as sheets:
            sheets.spreadsheets().create(body={}).execute()
        self.assertTrue(credentials.token.startswith("ya29."))
        control("revoke", {"account": ANA})
        with self.assertRaises(RefreshError) as raised:
            credentials.refresh(google_auth_httplib2.Request(httplib2.Http()))
        self.assertIn("invalid_grant", str(raised.exception))


def sign_in(scope):
    """Walks through the consent pages with forms alone and exchanges the code."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    opener = urllib.request.build_opener(Stay)

    def page(path, form=None):
        data = None if form is None else urllib.parse.urlencode(form, doseq=True).encode()
        try:
            return opener.open(BASE_URL + path, data).read().decode(), None
        except urllib.error.HTTPError as error:
            return "", error.headers["location"]

    query = {"client_id": CLIENT["client_id"], "redirect_uri": CALLBACK, "response_type": "code", "scope": scope,
             "access_type": "offline", "prompt": "consent", "login_hint": ANA, "state": "s"}
    html, _ = page("/o/oauth2/v2/auth?" + urllib.parse.urlencode(query))
    flow = html.split('name="flow" value="')[1].split('"')[0]
    _, back = page("/o/oauth2/v2/auth/continue", {"flow": flow, "decision": "allow", "scope": scope.split()})
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["code"][0]
    html, _ = page("/token", {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, **CLIENT})
    return json.loads(html)


class Receiver:
    """A receiver of change notices."""

    def __enter__(self):
        notices, arrived = [], threading.Condition()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                with arrived:
                    notices.append(self.headers)
                    arrived.notify()
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.notices, self.arrived = notices, arrived
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://localhost:{self.server.server_address[1]}/notices"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def next(self):
        with self.arrived:
            assert self.arrived.wait_for(lambda: self.notices, timeout=30), "no notice came"
            return self.notices.pop(0)

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Documents(unittest.TestCase):
    """Fake Google and Google's documents."""

    def test_the_extract_is_what_the_documents_say(self):
        extract = ROOT / "crates" / "fake-google" / "data" / "discovery.json"
        self.assertEqual(extract.read_text(encoding="utf-8"), discovery.text(), "python discovery.py writes it anew")

    def test_every_method_asks_for_the_scopes_of_its_document(self):
        id_ = control("spreadsheets", {"title": "Scopes"})["spreadsheetId"]
        known = {"openid", SCOPE + "userinfo.email", SCOPE + "userinfo.profile"}
        documents = journal.Documents()
        wanted = [method for ids in discovery.METHODS.values() for method in ids]
        for method_id in wanted:
            known |= {scope for scope in documents.methods[method_id][1].get("scopes", []) if "drive" in scope or "spreadsheets" in scope}
        tokens = {scope: access_token(scope) for scope in known if not scope.endswith(("drive.photos.readonly", "drive.apps.readonly", "drive.scripts"))}
        self.assertGreater(len(tokens), 8)
        for method_id in wanted:
            name, method = documents.methods[method_id]
            if not method.get("scopes"):
                continue
            prefix = discovery.document(name)["servicePath"].strip("/")
            path = method["path"].replace("{spreadsheetId}", id_).replace("{fileId}", id_).replace("{range}", "A1")
            for scope, token in tokens.items():
                with self.subTest(method=method_id, scope=scope):
                    request = urllib.request.Request(f"{BASE_URL}/{prefix + '/' if prefix else ''}{path}", method=method["httpMethod"])
                    request.add_header("authorization", f"Bearer {token}")
                    try:
                        urllib.request.urlopen(request).read()
                        refused = False
                    except urllib.error.HTTPError as error:
                        body = json.load(error)
                        refused = "insufficient authentication scopes" in body["error"]["message"]
                    self.assertEqual(refused, scope not in method["scopes"])


class Journal(unittest.TestCase):
    """Runs last: what all the others said."""

    def test_everything_said_is_as_the_documents_say(self):
        entries = journal.fetch(BASE_URL)
        asked = {entry.get("methodId") for entry in entries if 200 <= entry["status"] < 300}
        for ids in discovery.METHODS.values():
            self.assertLessEqual(set(ids), asked, "every method was really called")
        self.assertEqual(list(journal.problems(entries, journal.Documents())), [])

    def test_a_wrong_journal_is_noticed(self):
        documents = journal.Documents()
        good = {
            "number": 0, "methodId": "sheets.spreadsheets.get", "status": 200, "fault": False, "query": [["fields", "*"]],
            "scopes": [SCOPE + "spreadsheets"], "requestBody": "", "responseBody": json.dumps({"spreadsheetId": "a"}),
        }
        self.assertEqual(list(journal.problems([good], documents)), [])
        for change in [
            {"query": [["colour", "red"]]},
            {"scopes": [SCOPE + "drive.metadata"]},
            {"requestBody": "{}"},
            {"responseBody": json.dumps({"id": "a"})},
            {"responseBody": json.dumps({"sheets": [{"properties": {"sheetId": "0"}}]})},
            {"responseBody": json.dumps({"properties": {"autoRecalc": "NEVER"}})},
            {"status": 404, "responseBody": json.dumps({"error": "not found"})},
        ]:
            self.assertEqual(len(list(journal.problems([{**good, **change}], documents))), 1, change)


def load_tests(loader, _tests, _pattern):
    """The journal is read when everything has been said."""
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in (OfficialClient, Documents, Journal))


if __name__ == "__main__":
    unittest.main()
